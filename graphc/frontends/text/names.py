"""Which names a user may give, and what the names of the language mean.

check_name("logits")     "logits"
check_name("max")        GraphcError G012: a function of the language
check_name("x y")        GraphcError G013
"""

from __future__ import annotations

import keyword
import math
import re
from typing import Any

from graphc.errors import LimitError, Span, UnknownNameError, printable
from graphc.frontends.text.characters import MAX_IDENTIFIER

KEYWORDS = frozenset(keyword.kwlist) - {"True", "False", "None", "def", "return"}
# `e` is Euler's number unless the model declares or assigns it; `pi` cannot be either.
CONSTANTS: dict[str, Any] = {
    "True": True,
    "False": False,
    "None": None,
    "pi": math.pi,
    "e": math.e,
    "newaxis": None,
    "np.pi": math.pi,
    "np.e": math.e,
    "np.newaxis": None,
}
# Dtypes as arguments, as in x.astype(float32); a declared name of the same spelling comes first.
DTYPES: dict[str, str] = {
    **{name: name for name in ("float64", "float32", "int64", "int32", "f64", "f32", "i64", "i32")},
    **{f"np.{name}": name for name in ("float64", "float32", "int64", "int32")},
    "np.bool": "bool",
    "np.bool_": "bool",
}
PYTHON_DTYPES: dict[str, str] = {"float": "float64", "int": "int64", "bool": "bool"}

# Functions whose names no value can have. The many others (trace, diff, roll, ...) are functions only
# where they are called: a model may have an input `trace` and call trace(A).
RESERVED_FUNCTIONS = frozenset(
    """
    exp expm1 log log1p log2 log10 exp2 sqrt square reciprocal abs absolute fabs sign sin cos tan arcsin asin
    arccos acos arctan atan sinh cosh tanh sigmoid expit relu softplus floor ceil rint round negative stop_gradient
    maximum minimum clip where add subtract multiply divide true_divide power pow logaddexp astype less less_equal
    greater greater_equal equal not_equal logical_and logical_or logical_xor logical_not sum mean prod max amax min
    amin var std logsumexp softmax log_softmax matmul dot outer inner vdot transpose swapaxes moveaxis reshape ravel
    flatten broadcast_to expand_dims squeeze concatenate stack vstack hstack array take arange eye identity zeros
    ones full zeros_like ones_like full_like
    """.split()  # noqa: SIM905
)

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_RESERVED = frozenset({"np", "numpy", "pi", "newaxis", "nan", "inf"})


def check_name(name: str, span: Span | None = None) -> str:
    """The name, if an input, a size, a variable or a model may have it.

    Raises LimitError G003 (too long), UnknownNameError G012 (reserved) or G013 (not a name).
    """
    if not isinstance(name, str):
        raise UnknownNameError("G013", "a name is a string", span=span)
    if len(name) > MAX_IDENTIFIER:
        raise LimitError("G003", f"a name has at most {MAX_IDENTIFIER:,} characters", span=span)
    if _IDENTIFIER.fullmatch(name) is None:
        raise UnknownNameError(
            "G013",
            f"`{printable(name, 60)}` is not a name",
            span=span,
            hint="names are ASCII letters, digits and underscores, not starting with a digit",
        )
    reason = _why_reserved(name)
    if reason is not None:
        raise UnknownNameError(
            "G012",
            f"`{printable(name, 60)}` is reserved: {reason}",
            span=span,
            hint=f"call it `{name.strip('_')[:40]}_` or something else",
        )
    return name


def _why_reserved(name: str) -> str | None:
    if keyword.iskeyword(name):
        return "it is a keyword of Python"
    if name in RESERVED_FUNCTIONS:
        return "it is a function of the language"
    if name in _RESERVED:
        return "it has a meaning in the language"
    if name.startswith("_"):
        return "names that start with an underscore belong to the generated file"
    return None
