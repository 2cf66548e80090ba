"""Whether a function of the language is NumPy's: values, dtypes, gradients, second derivatives.

    agree("cumsum(x, axis=0)", lambda x: np.cumsum(x, axis=0), x=X)

The text is compiled with a named size for each different size of the inputs, and again with known
sizes. Gradients are compared with extrapolated central differences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import graphc as gc
from graphc.check.check_grads import check_grads

DTYPES = {"float64": "f64", "float32": "f32", "int64": "i64", "int32": "i32", "bool": "bool"}


def declared(arrays: Mapping[str, np.ndarray], named: bool) -> dict[str, str]:
    """The types of these inputs: f64[n3, n4] for (3, 4) if `named`, else f64[3, 4]."""
    types = {}
    for name, array in arrays.items():
        sizes = [f"n{d}" if named and d != 1 else str(d) for d in array.shape]
        types[name] = DTYPES[str(array.dtype)] + (f"[{', '.join(sizes)}]" if sizes else "")
    return types


def assert_value(text: str, reference: Callable[..., Any], arrays: Mapping[str, np.ndarray], named: bool) -> None:
    """The shape, the dtype and the value are those of the reference, to rounding."""
    module = gc.compile(text, inputs=declared(arrays, named))
    found = module(**{k: v.copy() for k, v in arrays.items()})
    found = found if isinstance(found, tuple) else (found,)
    with np.errstate(all="ignore"):
        wanted = reference(*arrays.values())
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    assert len(found) == len(wanted), text
    for one, other, node in zip(found, wanted, module.graph.outputs, strict=True):
        single = node.type.dtype == "float32"
        assert node.type.dtype == str(np.asarray(other).dtype), text
        assert np.shape(one) == np.shape(other), text
        rtol, atol = (2e-6, 1e-6) if single else (1e-13, 1e-14)
        np.testing.assert_allclose(one, other, rtol, atol, err_msg=f"{text}\n{module.source}")


def assert_gradients(text: str, arrays: Mapping[str, np.ndarray], named: bool, second: bool) -> None:
    """First derivatives, and second ones as the derivatives of the gradients."""
    loss = f"made = {text}\nloss = sum(sin(made) + made * made)"
    types = declared(arrays, named)
    wrt = [name for name, array in arrays.items() if array.dtype.kind == "f"]
    gc.check_grads(gc.compile(loss, inputs=types), dict(arrays), tolerance=1e-7)
    if second:
        module = gc.compile(gc.gradient(gc.parse(loss, types), wrt), wrt=wrt)
        weights = [np.cos(np.arange(arrays[n].size)).reshape(arrays[n].shape) for n in wrt]

        def curvature(**inputs: Any) -> Any:
            return module.backward(module.forward(**inputs)[1], *weights)

        check_grads(module, curvature, {**arrays, "dloss": 1.0}, wrt, cotangents=weights)


def agree(
    text: str,
    reference: Callable[..., Any],
    *,
    named: bool = True,
    second: bool = True,
    single: bool = True,
    gradients: bool = True,
    **arrays: Any,
) -> None:
    """Everything of the above. named: whether the sizes may be names.  single: whether float32 stays float32."""
    arrays = {k: np.asarray(v) for k, v in arrays.items()}
    assert_value(text, reference, arrays, False)
    if named:
        assert_value(text, reference, arrays, True)
    if gradients:
        assert_gradients(text, arrays, named, second)
    if single:
        narrow = {k: v.astype("float32") if v.dtype == np.float64 else v for k, v in arrays.items()}
        assert_value(text, reference, narrow, named)
