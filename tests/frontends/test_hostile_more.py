"""More hostile text: huge counts, deep nests and odd arguments of the library's functions.

Each text is compiled, or refused with one GraphcError, in two seconds of processor time; what would need
more than a gigabyte is refused before it is allocated.
"""

from __future__ import annotations

import time
import tracemalloc
from itertools import pairwise

import pytest

import graphc as gc
from graphc.errors import GraphcError, printable
from graphc.frontends.text import parse

INPUTS = {"x": (3,), "A": (3, 3), "s": (), "v": "n", "k": "int 3"}
SECONDS, BYTES = 2.0, 2**30


def nested(head: str, inner: str, tail: str, depth: int) -> str:
    return head * depth + inner + tail * depth


LETTERS = [chr(97 + i) for i in range(26)]
# text: the kind of error that it ends in, or "" where it is compiled
REFUSED = {
    # counts beyond what can be stored
    "sum(repeat(x, 10**12))": "limit",
    "sum(repeat(x, [10**12, 1, 1]))": "limit",
    "repeat(x, -1)": "shape",
    "sum(tile(x, (10**6, 10**6)))": "limit",
    "sum(pad(x, 2**62))": "limit",
    "sum(pad(x, 10**9, mode='wrap'))": "limit",
    "sum(pad(x, (10**11, 0), mode='edge'))": "limit",
    "sum(linspace(0, 1, 10**12))": "limit",
    "sum(linspace(0, s, 10**10))": "limit",
    "sum(geomspace(1, 2, 10**11))": "limit",
    "sum(logspace(0, 1, 10**11))": "limit",
    "sum(eye(10**9))": "limit",
    "sum(tri(10**8))": "limit",
    "tril_indices(10**8)": "limit",
    "sum(A[triu_indices(10**7)])": "limit",
    "diag_indices(3, 10**9)": "limit",
    "sum(diag(x, 10**9))": "limit",
    "sum(resize(x, 10**12))": "limit",
    "sum(bincount(k, minlength=10**12))": "limit",
    "sum(np.fft.rfft(x, n=10**12))": "limit",
    "sum(np.fft.fftfreq(10**12))": "limit",
    "sum(kron(zeros((10**5, 10**5)), zeros((10**5, 10**5))))": "limit",
    "unstack(zeros(10**7))[0]": "limit",
    "array_split(x, 10**8)[0]": "limit",
    "split(v, 10**9)[0]": "limit",
    "polyval(zeros(10**9), s)": "limit",
    "sum(quantile(x, linspace(0, 1, 10**10)))": "limit",
    "unravel_index(5, (2**62, 2**62))": "limit",
    # orders, powers, shifts, positions
    "sum(diff(x, n=10**9))": "limit",
    "sum(np.linalg.matrix_power(A, 10**9))": "limit",
    "polygamma(10**9, s)": "limit",
    "multigammaln(s, 10**9)": "limit",
    "round(x, 10**9)": "limit",
    "sum(roll(x, 2**63))": "dtype",
    "sum(rot90(A, 2**63))": "dtype",
    "sum(partition(x, 2**63))": "dtype",
    "sum(tril(A, 10**30))": "dtype",
    "sum(sliding_window_view(x, 10**9))": "shape",
    "sliding_window_view(A, (2**62, 2**62))": "shape",
    "sum(delete(x, 10**12))": "shape",
    "split(x, 10**9)[0]": "limit",
    "gradient(x, edge_order=10**9)": "limit",
    "np.linalg.tensorinv(A, ind=10**9)": "limit",
    "tensordot(A, A, axes=10**9)": "limit",
    # lists
    f"sum(quantile(x, [{'0.5,' * 70_000}]))": "limit",
    f"polyval([{'1,' * 5_000}], s)": "limit",
    f"sum(np.linalg.multi_dot([{'A,' * 600}]))": "limit",
    f"choose(k, [{'x,' * 100}])": "limit",
    f"gradient(x, {'1,' * 1_000})": "arity",
    f"sum(block({'[' * 5_000}x{']' * 5_000}))": "limit",
    # strings
    f"einsum('{'i' * 1_000_000}', x)": "syntax",
    f"einsum('{'i->' * 30}', x)": "arity",
    "einsum('i->i' 'j', x)": "unsupported",
    "einsum(f'i->', x)": "unsupported",
    "einsum('i\\n->', x)": "syntax",
    "einsum('\u0456->', x)": "encoding",
    "einsum()": "arity",
    "einsum(x, [0], x, [10**30], [0])": "arity",
    "x['a']": "unsupported",
    "quantile(x, 0.5, method='nonsense')": "unsupported",
    "np.linalg.norm(x, 'zzz')": "unsupported",
    # names with dots
    "np.linalg.__init__.__globals__": "unsupported",
    f"{'np.' * 100_000}sum(x)": "unsupported",
    f"linalg{'.linalg' * 50_000}(x)": "name",
    "np.np.sum(x)": "unsupported",
    # tuples
    "np.linalg.svd(A)": "unsupported",
    "np.linalg.svd(A)[10**9]": "shape",
    "np.linalg.svd(A)[s]": "dtype",
    "np.linalg.svd(A).T": "unsupported",
    # operators
    "7 % 0": "value",
    "7 // 0": "value",
    "10**400 // 3": "value",
    "1 << 10**9": "unsupported",
    "bitwise_and(s, 1)": "dtype",
}
ACCEPTED = (
    "s % 0",
    "s // 1e-320",
    "ldexp(s, 10**10)",
    "left_shift(1, 2**62)",
    "sum(linspace(0, 1, 10**6))",
    "sum(vander(x, 10**5))",
    f"einsum('{','.join(a + b for a, b in pairwise(LETTERS))}->az', {','.join(['A'] * 25)})",
    f"sum(einsum('{','.join(LETTERS)}->z', {','.join(['v'] * 26)}))",
    nested("sum(diag(", "x", "), axis=0)", 200),
    nested("sort(", "x", ")", 500),
    nested("cumsum(", "x", ")", 1000),
    nested("np.linalg.norm(", "x", ")", 2000),
    nested("np.linalg.inv(", "A", ")", 500),
    nested("median(", "x", ")", 500),
    nested("pad(", "x", ", 1)", 500),
    nested("diff(", "v", ")", 500),
    nested("erf(", "s", ")", 250),
    nested("convolve(", "v", ", v)", 200),
    nested("where(x > 0, ", "x", ", 0)", 2000),
    "s" + " % 3" * 5000,
    "s" + " // 3" * 1000,
)


def compiled(text: str) -> gc.Module:
    return gc.compile(text, {name: shape for name, shape in INPUTS.items() if name in text})


def limited(text: str) -> GraphcError | None:
    """The error that a text ends in, if any; it may take two seconds."""
    parse("x")  # the grammar is loaded once a process
    started = time.process_time()
    try:
        compiled(text)
        error = None
    except GraphcError as caught:
        error = caught
    assert time.process_time() - started < SECONDS
    return error


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:40])
def test_refused(text: str) -> None:
    tracemalloc.start()
    try:
        error = limited(text)
        assert tracemalloc.get_traced_memory()[1] < BYTES
    finally:
        tracemalloc.stop()
    assert error is not None and error.kind == REFUSED[text]
    message = str(error)
    assert len(message) < 3000
    assert printable(message.replace("\n", ""), len(message)) == message.replace("\n", "")


@pytest.mark.parametrize("text", ACCEPTED, ids=lambda text: text[:40])
def test_compiled_in_time(text: str) -> None:
    assert limited(text) is None
