"""SymPy in and out: expressions become graphs, scalar graphs become expressions.

from_sympy(x * sin(y))     Graph: x, y -> out
to_sympy(graph)            x*sin(y)

SymPy is loaded where it is used. Nothing is evaluated: no `sympify`, no `lambdify`, no text.
"""

from graphc.frontends.sympy.reading import from_sympy, is_sympy
from graphc.frontends.sympy.writing import to_sympy

__all__ = ["from_sympy", "is_sympy", "to_sympy"]
