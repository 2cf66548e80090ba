"""Arrays and views of them, written to in every way: what plain NumPy gives, or an error, never another value.

    a = x.copy(); a[1:] = a[:-1]; return a         one snippet, one line

Each snippet is a function of x (4, 3), v (5,), s (a float) and k (integers). It runs as it is, and
compiled: from example arrays, from symbolic sizes where those suffice, and without its source.
"""

from __future__ import annotations

import linecache
import math
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest

import graphc as gc

INPUTS = {
    "x": np.arange(12.0).reshape(4, 3) ** 1.5 / 7 - 1.3,
    "v": np.array([0.4, -1.1, 2.2, 0.7, -0.3]),
    "s": 1.7,
    "k": np.array([2, 0, 2, 1]),
}

SAME = """
a = x.copy(); a[0] = 0; return a
a = x.copy(); a[1, 2] = s; return a
a = x.copy(); a[:, 1] = 2; return a, x
a = x.copy(); a[-1] += v[:3]; return a
a = x.copy(); a[::2] *= 3; return a
a = x.copy(); a[::-1][0] = 9; return a
a = x.copy(); a[::-2, ::-1] = 9; return a
a = x.copy(); a[3:0:-2] += 1; return a
a = x.copy(); a[...] = 1; return a
a = x.copy(); a[:] = v[:3]; return a
a = x.copy(); a[:] = a[:, ::-1]; return a
a = x.copy(); a[1:] = a[:-1]; return a
a = x.copy(); a[:-1] = a[1:]; return a
a = x.copy(); a[1:] += a[:-1]; return a
a = v.copy(); a[1:] -= a[:-1]; return a
a = x.copy(); a[:, 0], a[:, 1] = a[:, 1], a[:, 0]; return a
a = x.copy(); a[:, 0], a[:, 1] = a[:, 1].copy(), a[:, 0].copy(); return a
a = x.copy(); a[[0, 1]] = a[[1, 0]]; return a
a = v.copy(); a[0], a[1] = a[1], a[0]; return a
a, b = x, v; a, b = b, a; return a, b
b = x; b += 1; return x
b = x; b = b + 1; return x, b
x += 1; return x
x[0] = 0; return x
y = x; y[0] = s; return x
y = x.view(); y[0] = s; return x
y = x[:]; y *= 2; return x
y = x[1]; y[:] = 0; return x
y = x[1]; y += v[:3]; return x, y
y = x[1:]; z = y[1:]; z[0] = 5; return x, y, z
y = x[1:3, 1:]; z = y[:, 0]; z -= 1; return x, y, z
y = x[::2]; z = y[::-1]; z[0, 0] = s; return x
y = x[:, None]; y[0, 0] = s; return x
y = x[None]; y[0, 1] = s; return x
y = x[..., 0]; y[1] = s; return x
y = x[1:2]; y[0] = s; x[1, 0] = 4; return x, y
y = x.T; y[0] = 7; return x
y = x.T; y[0] += 7; x[1] = 2; return x, y
y = x.transpose(1, 0); y[2, 1:] = 0; return x
y = x.swapaxes(0, 1)[1]; y[...] = 3; return x
y = np.swapaxes(x, 0, 1); y[1] = 3; return x
y = np.moveaxis(x, 0, 1); y[1] = 3; return x
y = np.expand_dims(x, 1); y[:, 0, 0] = 3; return x
y = x[:1].squeeze(0); y[0] = 3; return x
y = np.flip(x); y[0, 0] = 3; return x
y = np.fliplr(x); y[0] = 3; return x
y = np.flipud(x); y[0] = 3; return x
y = np.rot90(x); y[0] = 3; return x
y = np.atleast_2d(v); y[0, 1] = 3; return v
y = np.atleast_1d(v); y[1] = 3; return v
y, z = np.atleast_1d(v, s); y[1] = 3; z += 1; return v, z
y = x.T; z = y.T; z[0] = 1; return x, y
y = x.T.copy(); z = y.ravel(); z[0] = s; return y
y = (x.T * 2).ravel(); y[0] = s; return y
y = v[:4]; y.shape = (2, 2); y[0] = s; return v, y
y = v; y.shape = (5, 1); return v * 2
y = x.copy().reshape(3, 4, order="F"); y[0] = s; return y
y = x.ravel("F"); return y * v[0]
y = x.flatten(order="F"); y[1] = s; return y
y = np.reshape(x, (6, 2), order="F") + 0; y[1] = s; return y, x
y = np.ravel(x.T.copy(), order="A") * 1; return y
y = x[1:].T; z = y.T; z[0] = 1; return x, y
a = x.copy(); y = a.reshape(6, 2); z = y.reshape(2, 6); z[0] = 1; return a, y
a = x.copy(); y = a.reshape(6, 2).reshape(4, 3); y[0] = 1; return a
a = np.zeros((4, 3)); y = a.T; z = y.T; z[0] = s; return a
y = np.array(v, copy=False); y[0] = s; return v
y = np.ascontiguousarray(v); y[0] = s; return v
np.nan_to_num(x, copy=False); return x
np.nan_to_num(v, copy=False, nan=1.0); v += 1; return v
a = np.diag(v[:3]); a[0, 1] = s; return a
a = np.diagonal(x[:3]) + 0; x[0, 0] = s; return a, x
a = np.trace(x[:3]); x[0, 0] = s; return a, x
a = np.einsum("ij->ji", x) + 0; x[0, 0] = s; return a
a = np.einsum("ij,j->i", x, v[:3]); a[0] = s; x[0, 0] = 5; return a
y = v.reshape(5, 1); y[2] = 6; return v
y = v.reshape(-1); y[2] = 6; return v
y = v.ravel(); y[2] = 6; return v
y = np.ravel(v); y[2] = 6; return v
y = v.flatten(); y[2] = 6; return v, y
a = x.copy(); y = a.reshape(3, 4); y[0] = 6; return a
a = x.copy(); y = a.reshape(-1); y[4:6] = 0; return a, y
a = x.copy(); y = a.ravel(); y[::2] = 0; return a
a = x.copy(); y = a.reshape(2, 2, 3)[1]; y[0] = 0; return a
a = x.copy(); y = a.reshape(2, 6).T; y[5] = 0; return a
a = np.zeros((4, 3)); y = a.ravel(); y[:5] = v; return a
a = np.zeros((4, 3)); y = a.T; y[0] = v[:4]; return a, y
a = np.zeros((4, 3)); r = a[2]; r[:] = v[:3]; a[2, 0] = 1; return a, r
a = np.zeros((4, 3)); r = a[2]; a[2] = v[:3]; return r
a = np.zeros(5); b = a; b += v; return a
a = np.zeros(5); b = a.copy(); b += v; return a, b
a = np.zeros_like(x); a[1:3] = x[1:3]; return a
a = np.empty((2, 5)); a[0] = v; a[1] = -v; return a
a = np.ones(5); a[2] = 4; a *= v; return a
a = np.full((2, 5), s); a[1] = v; return a
a = np.arange(5.0); a[a > 2] = 0; a += v; return a
a = np.eye(3); a[0] = v[:3]; a[:, 0] += 1; return a
a = np.array([1.0, 2.0]); b = a[:1]; a = a + s; b[0] = 5; return a, b
a = np.array([s, 2.0]); a[1] = s * s; return a
a = np.array(x); a[0] = 0; return a, x
a = np.asarray(x); a[0] = 0; return x
a = np.array(v, copy=True); a += 1; return a, v
a = np.copy(v); a += 1; return a, v
a = v + 0; a += 1; return a, v
a = +v; a += 1; return a, v
a = v[[0, 1]]; a += 1; return a, v
a = v[k]; a[0] = 9; return a, v
a = v[v > 0]; return a.sum()
a = x.astype(np.float64); a[0] = 9; return a, x
a = x.astype(float, copy=False); a[0] = 9; return a, x
t = v.sum(); t += 1; return t, v
t = v[0]; t += 1; return t, v
t = v[0]; u = t; t += 1; return t, u
t = s; t += v[1]; return t, s
t = s; t *= v; return t, s
t = 0; t += v; t += v; return t, v
t = 0.0; t += v[0]; t -= s; return t
t = 0; u = t; t += v; u += v; return t, u
t = v; t = t * 2; t[0] = 1; return t, v
t = v[1:2]; t += 1; return v
t = v[0:1].reshape(()); u = t + 1; return u, v
t = np.array(s); t += 1; u = t; u += 1; return t
t = np.zeros(()); t += s; return t
t = np.zeros(()); t[()] = s; u = t; t += 1; return t, u
t = v[2, ...]; t += 1; return v
t = v[2, ...]; t[...] = 8; return v
t = x.max(axis=0); t[0] = 0; return t, x
t = x.sum(axis=1, keepdims=True); x -= t; return x
rows = [r for r in x]; rows[0][:] = 0; return x
for row in x: row -= row[0]
return x
for i, row in enumerate(x): row[i % 3] = i
return x
for row in x.T: row *= 2
return x
first, *rest = x; first += 1; rest[0][1] = 5; return x
a, b = x[:2], x[2:]; a += b; return x
a, b = x[:2], x[2:]; a[:] = b; b[:] = 0; return x, a
a, b = np.split(x, 2); a[:] = 0; b += 1; return x
a, b, c = np.split(x, 3, axis=1); b[:] = a; return x
parts = np.array_split(v, 2); parts[1][0] = 9; return v
a, b = np.hsplit(x[:, :2], 2); a += b; return x
d = {"a": x}; d["a"] += 1; return x
d = {"a": x}; d["a"] = d["a"] + 1; return x, d["a"]
l = [v, v]; l[0] += 1; return l[1]
l = [v, v.copy()]; l[0][0] = 1; return l[0], l[1]
l = [v] * 2; l[0][1] = 0; return l[1]
np.copyto(x, 1); return x
np.copyto(x, v[:3]); return x
np.copyto(x[0], v[:3]); return x
np.copyto(x, 0, where=x > 1); return x
np.add(x, 1, out=x); return x
y = np.multiply(x, 2, out=x); y[0] = 0; return x
y = np.exp(v, v); return v, y
y = np.empty(5); np.sin(v, out=y); y += 1; return y, v
y = np.empty((4, 3)); np.add(x, v[:3], out=y); return y
y = np.empty((4, 3)); np.maximum(x, 0, out=y[::-1]); return y
y = np.empty((4, 4)); np.matmul(x, x.T, out=y); return y
y = np.empty((4, 4)); np.dot(x, x.T, out=y); return y
y = np.empty(4); np.sum(x, axis=1, out=y); y[0] = 0; return y
y = np.empty(4); x.mean(axis=1, out=y); return y
y = np.zeros(5); np.log(v, out=y, where=v > 0); return y
y = np.clip(v, -1, 1, out=v); y[0] = 9; return v
v.fill(3); return v
x[1].fill(s); return x
np.fill_diagonal(x, 0); return x
np.fill_diagonal(x, s); return x
a = x[:3].copy(); a[np.diag_indices(3)] = v[:3]; return a
a = x[:3].copy(); a[range(3), range(3)] += 1; return a
a = x[:3].copy(); a[np.triu_indices(3, 1)] = 0; return a
a = x[:3].copy(); a.flat[::4] = 0; return a
np.put_along_axis(x, np.argmax(x, axis=1)[:, None], 0, axis=1); return x
np.put_along_axis(x, k[:, None], v[:4, None], 1); return x
np.put(v, [0, 3], [7, 8]); return v
np.place(x, x > 1, 0); return x
np.putmask(x, x > 1, 0); return x
x[x < 0] = 0; return x
x[x < 0] += 10; return x
x[x < 0] *= -1; return x
x[x > 1] = s; return x
x[x > 1] = x[x > 1] ** 2; return x
x[~(x > 1)] = 0; return x
x[(x > 0) & (x < 1)] = 0.5; return x
x[x[:, 0] > 0] = 0; return x
x[x[:, 0] > 0, 1] = 0; return x
x[:, v[:3] > 0] = 0; return x
m = np.array([True, False, True, False]); x[m] = 0; return x
m = np.array([True, False, True, False]); x[m] += 1; return x
m = np.array([True, False, True, False]); x[m] = v[:3]; return x
m = np.array([True, False, True, False]); x[m, 1] = [4, 5]; return x
m = x > 0; x[m] = 0; x[~m] = 1; return x
m = x > 0; x += 5; x[m] = 0; return x
y = x[1:]; y[y < 0] = 0; return x
v[[0, 2]] = 0; return v
v[[0, 0]] += 1; return v
v[[1, 1]] = [2, 3]; return v
v[k] = 5; return v
v[k] += 1; return v
v[k] *= s; return v
v[k] = v[:4]; return v
v[k[:3]] += v[k[1:]]; return v
np.add.at(v, [0, 0, 1], 1); return v
np.add.at(v, k, v[:4]); return v
np.subtract.at(v, k, s); return v
np.add.at(x, (k, [0, 1, 2, 0]), 1); return x
np.add.at(x, k, v[:3]); return x
np.add.at(x[1:], [0, 0], 1); return x
x[k] = 0; return x
x[k, 1] = s; return x
x[[0, 1], [1, 2]] = v[:2]; return x
x[np.ix_([0, 2], [1, 2])] = 0; return x
x[np.ix_([0, 2], [1, 2])] += x[:2, :2]; return x
x[k[0]] = 0; return x
x[k[0], k[1]] += 1; return x
x[:, [0, 2]] = x[:, [2, 0]]; return x
x[:, k[:2]] = 0; return x
x[1:, [0, 2]] += 1; return x
x[[0, 2], 1:] -= 1; return x
x[-1, -1] = x[0, 0]; return x
x[1] = x[0]; x[0] = 0; return x
x[1] = x[1][::-1]; return x
x[:] = x @ np.ones((3, 3)); return x
x -= x.mean(axis=0); x /= x.std(axis=0); x *= x; x *= v[:3]; return x
x **= 2; return x
x //= 0.5; return x
x %= 1; return x
x @= np.eye(3) * 2; return x
x -= x[0]; return x
x -= x[:, :1]; return x
x += x; return x
x += x[::-1]; return x
x[:2] += x[2:]; x[2:] += x[:2]; return x
v += s; v -= v.max(); return v
v[1:-1] = (v[:-2] + v[2:]) / 2; return v
v[1:-1] += 0.1 * (v[2:] - 2 * v[1:-1] + v[:-2]); return v
v[::2], v[1::2] = 0, 1; return v
v.sort(); return v
u = np.sort(v); u[0] = 0; return u, v
u = v[::-1]; u.sort(); return v
u = v[np.argsort(v)]; u[0] = 0; return u, v
k[0] = 7; return k
k += 1; return k, v[k]
k *= 2; return k
j = k; j = j * 2; j[0] = 1; return j, k
c = k.astype(float); c += s; return c, k
c = np.zeros(4, dtype=int); c[:] = k; c[1] = 5; return c
c = np.zeros(4, dtype=int); c[k] += 1; return c
c = np.zeros(3, dtype=int); np.add.at(c, k, 1); return c
c = np.zeros(4, dtype=np.float32); c[:] = v[:4]; return c
c = np.zeros(4, dtype=np.float32); c += v[:4]; return c
c = np.zeros(4, dtype=bool); c[:] = v[:4] > 0; return c
c = np.zeros(4, dtype=bool); c |= v[:4] > 0; c[0] = True; return c
c = np.zeros(4, dtype=int); c[:] = v[:4]; return c
c = np.ones(4); c[k == 2] = 0; return c * s
c = np.array([1, 2, 3]); c[0] = 2.7; return c * s
h = np.zeros((3, 5)); h[0] = v
for t in range(1, 3): h[t] = np.tanh(h[t - 1]) + s
return h
h = np.zeros((3, 5)); h[:, 0] = s
for t in range(1, 5): h[:, t] = h[:, t - 1] * v[t]
return h
total = np.zeros(3)
for row in x: total += row
return total, x
best = x[0]
for row in x[1:]: best = np.maximum(best, row)
best += 1
return best, x
acc = x[0]
for row in x[1:]: acc += row
return acc, x
acc = x[0].copy()
for row in x[1:]: acc += row
return acc, x
"""

REFUSED = """
G040 y = np.zeros_like(x.T); z = y.ravel(); z[0] = s; return y
G040 y = np.array(x.T); z = y.ravel(); z[0] = s; return y
G040 y = np.copy(x.T); z = y.ravel(); z[0] = s; return y
G040 y = x.T.astype(float); z = y.ravel(); z[0] = s; return y
G040 y = np.where(x.T > 0, x.T, 0); z = y.ravel(); z[0] = s; return y
G040 b = np.ones((2, 3)).T + 1; b[0] = v[:2]; z = b.ravel(); z[0] = s; return b
G040 b = np.zeros((2, 3), order="F"); b[0] = v[:3]; z = b.ravel(); z[0] = s; return b
G040 y = x.copy(order="F"); z = y.ravel(); z[0] = s; return y
G040 y = np.ravel(x.T, order="A"); return y
G040 y = x.flatten("K"); return y
G043 y = x.T; y.shape = (12,); return y
G040 a = x + v[:3]; y = a.ravel(); y += 1; return a
G040 a = x * 2; y = a.reshape(6, 2); y[:, 0] = 0; return a
G040 y = x.T.reshape(-1); y[0] = 5; return x, y
G040 y = x[:, :2].ravel(); y[0] = 5; return x, y
G040 y = x[:, :2].reshape(-1); x[0] = 5; return x, y
G040 y = x.reshape(3, 4); y[0] = 5; return x
G040 y = np.broadcast_to(v, (2, 5)); y[0] = 1; return y
G040 y = np.broadcast_to(v, (2, 5)); v[0] = 1; return y
G040 y, z = np.broadcast_arrays(x, v[:3]); z[0, 0] = 1; return v
G040 y, z = np.broadcast_arrays(x, v[:3]); v[0] = 1; return z
G040 y = np.diag(x[:3]); y[0] = 1; return y
G040 y = np.diag(x[:3]); x[0, 0] = 1; return y
G040 y = x[:3].diagonal(); x[0, 0] = 1; return y
G040 y = np.einsum("ii->i", x[:3]); y[:] = 0; return x
G040 y = np.asfortranarray(x); y[0] = 1; return x
G040 y = np.lib.stride_tricks.sliding_window_view(v, 2); v[0] = 1; return y
G040 a = np.zeros((3, 3)); y = np.diag(a); a[0, 0] = s; return y
G040 a = np.zeros((3, 3)); y = a.diagonal(); a[0, 0] = s; return y
G070 k += 0.5; return k
G070 k /= 2; return k
G070 c = np.zeros(4, dtype=int); c += v[:4]; return c
"""

_numbers = count()


def _snippets(table: str) -> list[str]:
    """The table cut into functions: a line that begins with `for` or is followed by one belongs together."""
    found: list[str] = []
    open_ = False
    for line in table.strip().splitlines():
        if open_:
            found[-1] += "\n" + line
        else:
            found.append(line)
        open_ = "return" not in line
    return found


def _function(body: str, source: bool = True) -> Callable[..., Any]:
    """The snippet as a function of x, v, s and k; with its text where tracebacks look for it, or without."""
    text = "def f(x, v, s, k):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    name = f"<snippet {next(_numbers)}>"
    if source:
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope: dict[str, Any] = {"np": np, "math": math}
    exec(compile(text, name, "exec"), scope)
    made: Callable[..., Any] = scope["f"]
    return made


def _inputs() -> dict[str, Any]:
    return {n: a.copy() if isinstance(a, np.ndarray) else a for n, a in INPUTS.items()}


def _plain(body: str) -> tuple[Any, ...]:
    with np.errstate(all="ignore"):
        result = _function(body)(**_inputs())
    return result if isinstance(result, tuple) else (result,)


def _compare(module: gc.Module, body: str) -> None:
    given = _inputs()
    found = module(**given)
    found = found if isinstance(found, tuple) else (found,)
    wanted = _plain(body)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert np.shape(one) == np.shape(other)
        assert np.asarray(one).dtype == np.asarray(other).dtype
        np.testing.assert_allclose(one, other, 1e-13, 1e-13, err_msg=f"{body}\n{module.source}")
    for name, array in INPUTS.items():
        np.testing.assert_array_equal(given[name], array, err_msg=f"`{name}` was written to")


@pytest.mark.parametrize("body", _snippets(SAME))
def test_the_value_is_that_of_plain_numpy(body: str) -> None:
    module = gc.compile(_function(body), INPUTS)
    _compare(module, body)
    if all(o.type.dtype != "float32" for o in module.graph.outputs):  # too coarse for differences
        gc.check_grads(module, _inputs())


@pytest.mark.parametrize("body", _snippets(SAME))
def test_it_is_so_without_source(body: str) -> None:
    _compare(gc.compile(_function(body, source=False), INPUTS), body)


@pytest.mark.parametrize("row", _snippets(REFUSED))
def test_what_is_not_certain_is_refused(row: str) -> None:
    code, _, body = row.partition(" ")
    with pytest.raises(gc.GraphcError) as caught:
        gc.compile(_function(body), INPUTS)
    assert caught.value.code == code
    assert caught.value.hint
    assert caught.value.span is not None and caught.value.span.source.name.startswith("<snippet")
