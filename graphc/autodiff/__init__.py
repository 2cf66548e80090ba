"""Derivatives: graph in, graph out."""

from graphc.autodiff.forward import jvp
from graphc.autodiff.reverse import gradient

__all__ = ["gradient", "jvp"]
