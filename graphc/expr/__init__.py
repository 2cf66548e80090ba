"""Operators on nodes: how graphs are written inside graphc."""
