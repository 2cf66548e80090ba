"""NumPy's functions that the language does not have, and what to write instead.

unique     its shape depends on data: compute it outside, and pass it in
lexsort    sort twice, the first key last

Both front ends say so where such a function is called.
"""

from __future__ import annotations

_OUTSIDE = "its result has no static shape: compute it outside, and pass it in"
_SETS = "compare each with each: np.any(a[:, None] == b, axis=1) says which elements of a are in b"
_COUNTS = "count with sums of comparisons: np.sum((x[:, None] >= edges[:-1]) & (x[:, None] < edges[1:]), axis=0)"
_FILES = "compute the value first, and save what the compiled function returns"
_RANDOM = "draw random numbers outside and pass them in, or make the generator inside: np.random.default_rng(seed)"
# By NumPy's names, without modules; `random`, `testing`: what is in a module of that name.
ADVICE: dict[str, str] = {
    "roots": "roots are complex; follow one by Newton steps: x = x - np.polyval(p, x) / np.polyval(np.polyder(p), x)",
    "poly": "multiply the factors: p = np.convolve(p, np.array([1.0, -root]))",
    "polydiv": "divide the values: np.polyval(u, x) / np.polyval(v, x)",
    "histogram": _COUNTS,
    "histogram2d": _COUNTS,
    "histogramdd": _COUNTS,
    "histogram_bin_edges": "write np.linspace(x.min(), x.max(), bins + 1)",
    "unique": _OUTSIDE,
    "unique_all": _OUTSIDE,
    "unique_counts": _OUTSIDE,
    "unique_inverse": _OUTSIDE,
    "unique_values": _OUTSIDE,
    "trim_zeros": _OUTSIDE,
    "union1d": _SETS,
    "intersect1d": _SETS,
    "setdiff1d": _SETS,
    "setxor1d": _SETS,
    "lexsort": "sort twice, the first key last: order = np.argsort(second); order[np.argsort(first[order])]",
    "sort_complex": "np.sort sorts real numbers",
    "bitwise_count": "sum the bits: np.sum((x[..., None] >> np.arange(63)) & 1, axis=-1)",
    "packbits": "multiply by powers of 2 and sum",
    "unpackbits": "write (x[..., None] >> np.arange(8)) & 1",
    "asmatrix": "use arrays, and @ for the matrix product",
    "bmat": "write np.block",
    "iterable": "an array is one",
    "save": _FILES,
    "savez": _FILES,
    "savez_compressed": _FILES,
    "savetxt": _FILES,
    "random": _RANDOM,
    "testing": "test what the compiled function returns: a static graph computes, and checks only sizes",
}
