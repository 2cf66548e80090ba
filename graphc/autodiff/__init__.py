"""Derivatives: graph in, graph out."""

from graphc.autodiff.reverse import gradient

__all__ = ["gradient"]
