"""The builders of graphs, a module a theme; `expr.build` is the namespace that collects them."""
