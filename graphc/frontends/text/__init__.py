"""Models as text: Python's expression syntax, parsed by an LALR grammar. Nothing is evaluated.

parse("X: f64[n, d]\\nw: f64[d]\\nreturn mean((X @ w)**2)")      a Graph
"""

from graphc.frontends.text.names import check_name
from graphc.frontends.text.parser import parse
from graphc.frontends.text.reading import decode_model, read_model
from graphc.frontends.text.shapes import InputSpec, input_type

__all__ = ["InputSpec", "check_name", "decode_model", "input_type", "parse", "read_model"]
