"""Ordinary NumPy code, traced.

trace(f, {"X": "n d", "w": "d"}).graph      the Graph of what f computes
"""

from graphc.frontends.numpy.trace import Traced, trace

__all__ = ["Traced", "trace"]
