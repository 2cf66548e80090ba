"""graphc: gradients as code you can read, trust and ship.

    import graphc as gc

    m = gc.compile("mean(softplus(X @ w) - y * (X @ w))", {"X": "n d", "w": "d", "y": "n"}, wrt="w")
    print(m.source)

Names are loaded when first used, so that `import graphc` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "graphc.api": ("check_grads", "compile", "gradient", "parse", "simplify", "trace"),
    "graphc.module.compiled": ("Module",),
    "graphc.custom": ("custom_op", "elementwise"),
    "graphc.frontends.sympy": ("from_sympy",),
    "graphc.transforms": (
        "Triplets",
        "cond",
        "fixed_point",
        "fori_loop",
        "grad",
        "hessian",
        "hvp",
        "jacobian",
        "jvp",
        "root",
        "scan",
        "sparse_hessian",
        "sparse_jacobian",
        "value_and_grad",
        "vjp",
        "while_loop",
    ),
    "graphc.ir.graph": ("Graph",),
    "graphc.errors": (
        "ArgumentError",
        "DtypeError",
        "FileError",
        "GradientMismatch",
        "GraphcError",
        "InternalError",
        "LimitError",
        "ParseError",
        "ShapeError",
        "UnknownNameError",
        "UnsupportedError",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

if TYPE_CHECKING:
    from graphc.api import check_grads as check_grads
    from graphc.api import compile as compile
    from graphc.api import gradient as gradient
    from graphc.api import parse as parse
    from graphc.api import simplify as simplify
    from graphc.api import trace as trace
    from graphc.custom import custom_op as custom_op
    from graphc.custom import elementwise as elementwise
    from graphc.errors import ArgumentError as ArgumentError
    from graphc.errors import DtypeError as DtypeError
    from graphc.errors import FileError as FileError
    from graphc.errors import GradientMismatch as GradientMismatch
    from graphc.errors import GraphcError as GraphcError
    from graphc.errors import InternalError as InternalError
    from graphc.errors import LimitError as LimitError
    from graphc.errors import ParseError as ParseError
    from graphc.errors import ShapeError as ShapeError
    from graphc.errors import UnknownNameError as UnknownNameError
    from graphc.errors import UnsupportedError as UnsupportedError
    from graphc.frontends.sympy import from_sympy as from_sympy
    from graphc.ir.graph import Graph as Graph
    from graphc.module.compiled import Module as Module
    from graphc.transforms import Triplets as Triplets
    from graphc.transforms import cond as cond
    from graphc.transforms import fixed_point as fixed_point
    from graphc.transforms import fori_loop as fori_loop
    from graphc.transforms import grad as grad
    from graphc.transforms import hessian as hessian
    from graphc.transforms import hvp as hvp
    from graphc.transforms import jacobian as jacobian
    from graphc.transforms import jvp as jvp
    from graphc.transforms import root as root
    from graphc.transforms import scan as scan
    from graphc.transforms import sparse_hessian as sparse_hessian
    from graphc.transforms import sparse_jacobian as sparse_jacobian
    from graphc.transforms import value_and_grad as value_and_grad
    from graphc.transforms import vjp as vjp
    from graphc.transforms import while_loop as while_loop


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'graphc' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
