"""One case of the edge suite: an expression, inputs, and what must come out of it.

    case = Case.read({"expr": "np.abs(x)", "inputs": {"x": 0.0}, "expected_value": 0.0, ...})
    check(case, DOORS["text"])

The checks are of value, output, gradients, second derivatives, dtypes, shapes, memory layouts,
read-only inputs and, where the case asks for it, of floating-point warnings.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import graphc as gc

Arrays = dict[str, np.ndarray]
# A way into the compiler: the expression, arrays to take the types from, what to differentiate by.
Door = Callable[[str, Arrays, "tuple[str, ...] | None"], gc.Module]


def function_of(expr: str, inputs: Arrays) -> Callable[..., Any]:
    """The expression as what somebody writes in NumPy."""
    function: Callable[..., Any] = eval(f"lambda {', '.join(inputs)}: {expr}", {"np": np})
    return function


DOORS: dict[str, Door] = {
    "text": lambda expr, inputs, wrt: gc.compile(expr, inputs, wrt=wrt),
    "numpy": lambda expr, inputs, wrt: gc.compile(function_of(expr, inputs), inputs, wrt=wrt),
}


# What NumPy warns of. An exponential that underflows to 0 is the right answer, and no warning.
WARNED: Any = {"divide": "raise", "over": "raise", "invalid": "raise", "under": "ignore"}


@dataclass(frozen=True)
class Case:
    """What the suite says of one expression; "nan", "inf", "-inf", "any" and "finite" stand for themselves.

    value: the output, summed where it is not a scalar.  output: the output itself, or None.
    hess_diag: for some inputs the diagonal of the second derivative of the sum.
    """

    id: str
    expr: str
    inputs: Mapping[str, Any]
    value: Any = None
    grads: Mapping[str, Any] | None = None
    output: Any = None
    hess_diag: Mapping[str, Any] = field(default_factory=dict)
    level: str = "must"
    dtype: str = "float64"
    dtypes: Mapping[str, str] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    wrt: tuple[str, ...] | None = None
    rtol: float = 1e-9
    atol: float = 1e-12
    clean: bool = False
    error: str = ""
    any_of: tuple[Any, ...] = ()

    @staticmethod
    def read(row: Mapping[str, Any]) -> Case:
        """A case from its line in the file."""
        return Case(
            id=row["id"],
            expr=row["expr"],
            inputs=row["inputs"],
            value=row["expected_value"],
            grads=row["expected_grads"],
            output=row.get("expected_output"),
            hess_diag=row.get("expected_hess_diag", {}),
            level=row["level"],
            dtype=row["dtype"],
            dtypes=row.get("dtypes", {}),
            shapes={k: tuple(v) for k, v in row.get("shapes", {}).items()},
            wrt=tuple(row["wrt"]) if "wrt" in row else None,
            rtol=row["rtol"],
            atol=row["atol"],
            clean=row.get("errstate_clean", False),
            error=row.get("error_kind", ""),
            any_of=tuple(row.get("expected_value_any_of", ())),
        )

    def declared(self) -> Arrays:
        """Arrays of the declared types: an integer that has a gradient is given to a float input."""
        floats = self.grads or {}
        return {k: a.astype("float64") if k in floats and a.dtype.kind == "i" else a for k, a in self.arrays().items()}

    def arrays(self) -> Arrays:
        """The inputs as they are given."""
        result = {}
        for name, items in self.inputs.items():
            dtype = self.dtypes.get(name, self.dtype)
            array = np.array(items, None if dtype in ("bool", "int64") else "float64").astype(dtype)
            result[name] = array.reshape(self.shapes.get(name, array.shape))
        return result


def check(case: Case, door: Door) -> None:
    """Everything that the case promises, for one door."""
    module = door(case.expr, case.declared(), case.wrt)
    loss = door(f"np.sum({case.expr})", case.declared(), case.wrt)
    inputs = case.arrays()
    with np.errstate(**(WARNED if case.clean else {"all": "ignore"})), warnings.catch_warnings():
        warnings.simplefilter("error" if case.clean else "ignore")
        value, grads = loss.value_and_grad(**inputs)
        output, saved = module.forward(**inputs)
        parts = module.backward(saved, ones_like(output, module))
        _layouts(case, loss, inputs, value, grads)
        second = {name: hess_diag(loss, name, inputs) for name in case.hess_diag}
    _values(case, value, output)
    for gradients in (grads, parts):
        _gradients(case, gradients)
    for name, expected in case.hess_diag.items():
        close(second[name], expected, case, f"second derivative by {name}")


def _values(case: Case, value: Any, output: Any) -> None:
    if case.any_of:
        assert any(agree(value, v, case) for v in case.any_of), f"{value} is none of {case.any_of}"
    else:
        close(value, case.value, case, "value")
    with np.errstate(all="ignore"):
        close(np.sum(output), value, case, "sum of the output")
    if case.output is not None:
        close(output, case.output, case, "output")
    floats = [a.dtype for a in case.declared().values() if a.dtype.kind == "f"]
    assert np.asarray(output).dtype == np.result_type(*floats) or (case.dtype == "float32" and not np.ndim(output))


def _gradients(case: Case, gradients: Any) -> None:
    """Gradients, and that each has the shape and the dtype of its input."""
    assert case.grads is not None
    assert set(case.grads) <= set(gradients._fields)
    for name, expected in case.grads.items():
        got, declared = getattr(gradients, name), case.declared()[name]
        close(got, expected, case, f"gradient by {name}")
        assert np.shape(got) == declared.shape
        assert declared.ndim == 0 or got.dtype == declared.dtype


def ones_like(output: Any, module: gc.Module) -> Any:
    """The cotangent under which the output is summed."""
    (node,) = module.graph.outputs
    return np.ones(np.shape(output), node.type.dtype) if node.type.rank else 1.0


def hess_diag(loss: gc.Module, name: str, inputs: Arrays) -> np.ndarray:
    """The diagonal of the second derivative: the gradient of the gradient, a unit vector at a time."""
    (out,) = loss.graph.output_names
    twice = gc.compile(gc.gradient(loss.graph, name), wrt=name)
    first, saved = twice.forward(**inputs, **{"d" + out: 1.0})
    result = np.empty(np.shape(first))
    for position in np.ndindex(result.shape):
        unit = np.zeros(result.shape, inputs[name].dtype)
        unit[position] = 1.0
        result[position] = np.asarray(getattr(twice.backward(saved, unit if unit.ndim else 1.0), name))[position]
    return result


# BLAS and LAPACK add in another order for another layout: the last bits of these are theirs.
BLAS = ("@", "dot(", "einsum(", "linalg.")


def _layouts(case: Case, loss: gc.Module, inputs: Arrays, value: Any, grads: Any) -> None:
    """The same bits for every order in memory, from inputs that cannot be written to."""
    same = _nearly if any(name in case.expr for name in BLAS) else same_bits
    for name, change in LAYOUTS.items():
        changed = {k: change(a) for k, a in inputs.items()}
        for array in changed.values():
            array.flags.writeable = False
        again, others = loss.value_and_grad(**changed)
        assert same(again, value), f"value, {name}: {again!r} is not {value!r}"
        for field_ in grads._fields:
            got, first = getattr(others, field_), getattr(grads, field_)
            assert same(got, first), f"gradient by {field_}, {name}: {got!r} is not {first!r}"


def _nearly(a: Any, b: Any) -> bool:
    scale = float(np.max(np.abs(b), initial=1.0))
    return bool(np.allclose(a, b, rtol=0.0, atol=16 * np.finfo(np.asarray(b).dtype).eps * scale, equal_nan=True))


def _reversed(array: np.ndarray) -> np.ndarray:
    """A view that runs backwards through memory along every axis."""
    back = (slice(None, None, -1),) * array.ndim
    return np.ascontiguousarray(array[back])[back] if array.ndim else array.copy()


def _strided(array: np.ndarray) -> np.ndarray:
    """A view of every other element."""
    return np.repeat(array, 2, axis=-1)[..., ::2] if array.ndim else array.copy()


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "C order": lambda a: np.array(a, order="C"),
    "Fortran order": lambda a: np.array(a, order="F"),
    "every other element": _strided,
    "reversed": _reversed,
}


def same_bits(a: Any, b: Any) -> bool:
    first, second = np.asarray(a), np.asarray(b)
    return first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes()


def close(got: Any, expected: Any, case: Case, what: str) -> None:
    """`got` is `expected` within the tolerance of the case."""
    assert agree(got, expected, case), f"{case.id}: {case.expr}\n{what}: {got} is not {expected}"


def agree(got: Any, expected: Any, case: Case) -> bool:
    array = np.asarray(got)
    wanted = list(_flat(expected))
    if array.size != len(wanted):
        return False
    return all(_agree(float(a), b, case) for a, b in zip(array.ravel().tolist(), wanted, strict=True))


def _flat(items: Any) -> Iterator[Any]:
    if isinstance(items, (list, tuple, np.ndarray)):
        for item in items:
            yield from _flat(item)
    else:
        yield items


def _agree(got: float, expected: Any, case: Case) -> bool:
    if expected == "any":
        return True
    if expected == "finite":
        return bool(np.isfinite(got))
    wanted = float(expected)
    if not np.isfinite(wanted):
        return got == wanted or (got != got and wanted != wanted)
    return abs(got - wanted) <= case.atol + case.rtol * abs(wanted)
