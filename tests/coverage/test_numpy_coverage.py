"""Every NumPy function that is covered, called as people call it: value, dtype, gradient, float32, text.

The calls are in `calls.txt`. Values are compared with those of NumPy (or SciPy) itself, gradients
with central differences of NumPy's values: nothing of graphc's is on the other side.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import calls
import numpy as np
import pytest
from calls import INPUTS, Call

import graphc as gc
from graphc.frontends.numpy.coverage import covered, public

CALLS = calls.read()
each_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
TYPES = {"float64": "f64", "int64": "i64", "bool": "bool"}
SEQUENCES = {"np.nonzero", "x.nonzero()"}  # of one array here
# What a text model does not have: memory, types, functions as arguments, methods of ufuncs, infinity, Python itself.
PYTHON_ONLY = (
    set(
        """
    np.asarray np.asanyarray np.ascontiguousarray np.asfortranarray np.copy np.r_ np.c_ np.shares_memory
    np.may_share_memory out where dtype matmul.out sum.out x.copy() x.view() x.flat x.tolist() x.item() x.item(k)
    np.shape np.ndim np.size np.isscalar np.iterable np.iscomplexobj np.isrealobj np.can_cast np.broadcast_shapes
    result_type promote_types common_type x.dtype x.itemsize x.nbytes x.real x.imag np.real_if_close
    np.apply_along_axis np.apply_over_axes np.fromfunction np.vectorize np.piecewise np.mask_indices
    add.reduce add.reduceat add.accumulate multiply.reduce multiply.accumulate multiply.outer maximum.reduce
    maximum.accumulate minimum.reduce minimum.accumulate logaddexp.reduce logaddexp.accumulate logical_and.reduce
    logical_or.reduce fmax.reduce subtract.reduce subtract.outer divide.reduce hypot.reduce hypot.outer
    np.linalg.norm np.fft.irfft np.angle np.array_equiv np.diag_indices_from einsum_path np.trim_zeros
    np.bartlett np.blackman np.hamming np.hanning np.kaiser np.lib.stride_tricks.sliding_window_view np.ndarray.sum
    math.fsum math.log len() float() max() x.compress() frompyfunc np.require np.fromiter
    """.split()  # noqa: SIM905
    )
    | {"add.reduce, axis", "traced mask"}
    | {call.name for call in CALLS if call.section == "writing"}
)
ANOTHER = {"round()"}  # of an int in Python; np.round in a text model


def leaves(result: Any) -> list[np.ndarray]:
    """The arrays of a result, which may be a tuple or a list of them."""
    if isinstance(result, (tuple, list)):
        return [leaf for part in result for leaf in leaves(part)]
    return [np.asarray(result)]


def arguments(call: Call, dtype: str = "float64") -> list[Any]:
    """The inputs of a call in a precision; an input without axes is a number."""
    arrays = [INPUTS[name] for name in call.inputs]
    cast = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]
    return [a if a.ndim else a[()] for a in cast]


def compiled(call: Call, args: list[Any]) -> gc.Module:
    return gc.compile(call.function(), dict(zip(call.inputs, args, strict=True)))


def assert_same(got: Any, want: Any, rtol: float, atol: float) -> None:
    found, expected = leaves(got), leaves(want)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


# --- values and gradients ---


def weighted(result: Any) -> float:
    """A number that depends on every floating-point element of a result, on each in another way."""
    total = 0.0
    for leaf in leaves(result):
        if leaf.dtype.kind == "f":
            total += float(np.sum(leaf * weights(leaf)))
    return total


def weights(leaf: np.ndarray) -> np.ndarray:
    return np.cos(1.0 + np.arange(leaf.size)).reshape(leaf.shape)


def numeric(call: Call, which: int, step: float = 2e-4) -> np.ndarray:
    """The gradient of NumPy's own values with respect to one input, by differences of fourth order."""
    function, args = call.function(), arguments(call)
    base = np.asarray(args[which])
    gradient = np.zeros(base.shape)
    for at in np.ndindex(base.shape):
        ends = []
        for factor in (-2, -1, 1, 2):
            moved = base.copy()
            moved[at] += factor * step
            ends.append(weighted(function(*args[:which], moved if moved.ndim else float(moved), *args[which + 1 :])))
        gradient[at] = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
    return gradient


def cotangents(values: Any) -> list[Any]:
    found = [weights(leaf) if leaf.dtype.kind == "f" else np.zeros(leaf.shape) for leaf in leaves(values)]
    return [c if c.ndim else float(c) for c in found]


def gradients(module: gc.Module, call: Call) -> dict[str, np.ndarray]:
    _, saved = module.forward(*arguments(call))
    found = module.backward(saved, *cotangents(call.function()(*arguments(call))))
    return {name: np.asarray(slope) for name, slope in found._asdict().items()}


def differentiable(call: Call) -> list[str]:
    return [name for name in call.inputs if INPUTS[name].dtype.kind == "f"]


@each_call
def test_value_and_gradient(call: Call) -> None:
    args = arguments(call)
    module = compiled(call, args)
    assert_same(module(*args), call.function()(*args), rtol=1e-11, atol=1e-13)
    if not any(leaf.dtype.kind == "f" for leaf in leaves(call.function()(*args))) or not differentiable(call):
        return
    found = gradients(module, call)
    assert list(found) == differentiable(call)
    for name, slope in found.items():
        expected = numeric(call, call.inputs.index(name))
        scale = max(1.0, float(np.max(np.abs(expected))))
        assert slope.shape == expected.shape
        np.testing.assert_allclose(slope, expected, rtol=0, atol=2e-9 * scale, err_msg=f"gradient of {name}")


# --- the same names in text models ---


def test_text_models_have_the_same_names() -> None:
    """Every call whose text is also a text model gives the same numbers there; the others are refused in order."""
    refused = set()
    for call in CALLS:
        if call.name in ANOTHER:
            continue
        args = arguments(call)
        try:
            module = text_model(call, len(leaves(call.function()(*args))))
        except gc.GraphcError:
            refused.add(call.name)
            continue
        assert_same(module(*args), call.function()(*args), rtol=1e-11, atol=1e-13)
    assert refused == PYTHON_ONLY


def text_model(call: Call, outputs: int) -> gc.Module:
    text = re.sub(r"\bscipy\.linalg\.(?=inv|det|solve\()", "np.linalg.", call.text).replace(
        "scipy.stats.norm.", "norm_"
    )
    text = re.sub(r"\b(scipy\.special|scipy\.linalg|math)\.", "", text)
    declared = {n: TYPES[INPUTS[n].dtype.name] + str(list(INPUTS[n].shape)).replace("[]", "") for n in call.inputs}
    if outputs > 1 or call.name in SEQUENCES:
        text = f"parts = {text}\nreturn " + ", ".join(f"parts[{k}]" for k in range(outputs))
    return gc.compile(text, declared)


# --- what there is, and what there is not ---

# The name in the message, the call, and why there is no such function.
MISSING = {
    "np.bitwise_count": ("np.bitwise_count(i)", "its result is uint8"),
    "np.packbits": ("np.packbits(m)", "its result is uint8"),
    "np.unpackbits": ("np.unpackbits(m)", "its argument is uint8"),
    "np.isnat": ("np.isnat(x)", "of dates"),
    "np.unique": ("np.unique(x)", "its shape depends on data"),
    "np.unique_all": ("np.unique_all(x)", "its shape depends on data"),
    "np.unique_counts": ("np.unique_counts(x)", "its shape depends on data"),
    "np.unique_inverse": ("np.unique_inverse(x)", "its shape depends on data"),
    "np.unique_values": ("np.unique_values(x)", "its shape depends on data"),
    "np.union1d": ("np.union1d(x, y)", "its shape depends on data"),
    "np.intersect1d": ("np.intersect1d(x, y)", "its shape depends on data"),
    "np.setdiff1d": ("np.setdiff1d(x, y)", "its shape depends on data"),
    "np.setxor1d": ("np.setxor1d(x, y)", "its shape depends on data"),
    "np.trim_zeros": ("np.trim_zeros(x)", "its shape depends on data"),
    "np.histogram": ("np.histogram(x)", "a count; the bins depend on data"),
    "np.histogram2d": ("np.histogram2d(x, y)", "a count; the bins depend on data"),
    "np.histogramdd": ("np.histogramdd(X)", "a count; the bins depend on data"),
    "np.histogram_bin_edges": ("np.histogram_bin_edges(x)", "its shape may depend on data"),
    "np.lexsort": ("np.lexsort((x, y))", "argsort twice does it"),
    "np.sort_complex": ("np.sort_complex(x)", "its result is complex"),
    "np.roots": ("np.roots(x)", "its result is complex"),
    "np.poly": ("np.poly(x)", "a product of factors says it better"),
    "np.polydiv": ("np.polydiv(u, x)", "the length of the remainder depends on data"),
    "np.save": ("np.save('file.npy', x)", "it writes a file"),
    "np.savez": ("np.savez('file.npz', x=x)", "it writes a file"),
    "np.savez_compressed": ("np.savez_compressed('file.npz', x=x)", "it writes a file"),
    "np.savetxt": ("np.savetxt('file.txt', x)", "it writes a file"),
    "eigenvalues": ("np.linalg.eigvals(A)", "they are complex"),
    "linalg.eig": ("np.linalg.eig(A)", "they are complex"),
    "normal": ("np.random.normal(size=4) * x", "each call draws anew"),
    "rand": ("np.random.rand(4) * x", "each call draws anew"),
    "shuffle": ("np.random.shuffle(x)", "each call draws anew"),
    "np.testing.assert_allclose": ("np.testing.assert_allclose(x, y)", "a graph has no assertions"),
    "scipy.special.zeta": ("scipy.special.zeta(x + 1)", "not yet"),
    "scipy.linalg.expm": ("scipy.linalg.expm(A)", "not yet"),
}
# Functions without traced arguments: files, printing, settings, types, dates, and arrays made of numbers alone.
OUTSIDE = set(
    """
    array2string array_repr array_str asarray_chkfinite asmatrix bartlett base_repr binary_repr blackman bmat
    broadcast_shapes busday_count busday_offset datetime_as_string datetime_data format_float_positional
    format_float_scientific from_dlpack frombuffer fromfile fromfunction fromregex fromstring genfromtxt get_include
    get_printoptions getbufsize geterr geterrcall hamming hanning info is_busday isdtype isfortran isscalar
    issubdtype iterable kaiser load loadtxt mask_indices min_scalar_type mintypecode nested_iters printoptions
    promote_types row_stack set_printoptions setbufsize seterr seterrcall show_config show_runtime typename
    linalg.eig linalg.eigvals frompyfunc
    """.split()  # noqa: SIM905
)


@pytest.mark.parametrize("name", MISSING)
def test_missing_functions_are_errors_that_help(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function, the line with carets, and what to write instead."""
    monkeypatch.chdir(tmp_path)
    call = calls.parsed("", MISSING[name][0])
    with pytest.raises(gc.UnsupportedError) as caught:
        compiled(call, arguments(call))
    lines = str(caught.value).splitlines()
    assert name in lines[0]
    assert f"return {call.text}" in lines[3]
    assert "^" in lines[4]
    assert lines[-1].startswith("help: ")
    assert "graphc ops" not in lines[-1] or name.startswith(("scipy.", "np.isnat"))
    assert list(tmp_path.iterdir()) == []


def called(text: str) -> list[Any]:
    """The functions of NumPy's in a text."""
    names = re.findall(r"\bnp\.((?:linalg\.|fft\.)?\w+)", text)
    return [functools.reduce(lambda module, part: getattr(module, part, None), n.split("."), np) for n in names]


def test_every_covered_function_is_called() -> None:
    """`covered()` is what graphc says that it can; here is a working call of each."""
    found = [f for call in CALLS for f in called(call.text)]
    assert [name for name, function in covered().items() if not any(f is function for f in found)] == []


def test_every_function_of_numpy_is_accounted_for() -> None:
    missing = {name.removeprefix("np.") for name in MISSING}
    rest = {name for name, f in public().items() if name not in covered() and name not in missing}
    assert rest - OUTSIDE == set()  # a newer NumPy may have lost some, and must not have others


def test_the_count() -> None:
    """docs/ops.md says the number."""
    assert len(covered()) >= 330
    assert len(CALLS) >= 560


# --- single precision ---

# NumPy and SciPy answer float64 for float32 here; graphc keeps what it is given.
WIDER = {
    "np.percentile", "np.cov", "np.corrcoef", "np.interp", "np.vander", "np.array", "np.bincount", "x.item(k)",
    "math.exp", "math.sqrt", "math.lgamma", "math.erf", "math.fsum", "scipy.special.polygamma",
    "scipy.special.multigammaln", "scipy.stats.norm.pdf", "scipy.stats.norm.logpdf", "scipy.stats.norm.cdf",
    "scipy.stats.norm.logcdf", "scipy.linalg.det", "np.geomspace",
    "np.polyder", "np.polyint", "np.polyfit",
}  # fmt: skip


@each_call
def test_float32_stays_float32(call: Call) -> None:
    args = arguments(call, "float32")
    want = leaves(call.function()(*args))
    module = compiled(call, args)
    got = leaves(module(*args))
    narrowed = ["float32" if a.dtype == "float64" and call.name in WIDER else a.dtype for a in want]
    assert [a.dtype for a in got] == narrowed
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
    if any(a.dtype == "float32" for a in got):
        assert {slope.type.dtype for slope in module.gradient.outputs} <= {"float32"}


def test_widened_are_those_that_numpy_widens() -> None:
    widened = set()
    for call in CALLS:
        if call.name in WIDER:
            args = arguments(call, "float32")
            widened |= {call.name for leaf in leaves(call.function()(*args)) if leaf.dtype == "float64"}
    assert widened == WIDER
