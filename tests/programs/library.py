"""Random typed models that call the library: special functions, statistics, sorting, linear algebra, transforms ...

    program(7).text      a model of the plain generator's productions and of these

Every row says where a function is defined. An operand that may leave that interval is squashed into it, and a
result without bounds is squashed, too, so that all values stay finite:

    gammaln(x)  with x in [-2, 2]    ->    gammaln((2.75 + 2.25 * tanh(x)))
"""

from __future__ import annotations

from collections.abc import Callable

import generator
from generator import LIMIT, MOST, Shape, Value, broadcast, comparison, count_of, made

ANY = (-LIMIT, LIMIT)
Writer = generator._Writer


def program(seed: int, statements: int | None = None) -> generator.Program:
    """The model of a seed."""
    return generator.program(seed, statements, RULES)


# --- operands inside a domain, and results inside the generator's bounds ---


def squashed(x: Value, low: float, high: float) -> Value:
    """`x`, or a smooth function of it with values between `low` and `high`."""
    if low <= x.low and x.high <= high:
        return x
    middle, half = (low + high) / 2, (high - low) / 2
    return made(f"({middle} + {half} * tanh({x.text}))", x, low, high)


def bounded(text: str, like: Value, shape: Shape | None = None, *, smooth: bool = True) -> Value:
    """A result of unknown size, between -1 and 1."""
    shape = like.shape if shape is None else shape
    return made(f"tanh({text})", like, -1.0, 1.0, shape=shape, smooth=smooth and like.smooth)


def consumed(w: Writer, text: str, like: Value, shape: Shape, axes: tuple[int, ...], smooth: bool = True) -> Value:
    """The mean over axes whose sizes are no names, so that no later operand needs to fit them."""
    name = w.random.choice(("mean", "sum", "max") if not (w.want_smooth) else ("mean", "sum"))
    w.least = max(w.least, 3)
    rest = tuple(d for i, d in enumerate(shape) if i not in axes)
    axis = axes[0] if len(axes) == 1 else axes
    return bounded(f"{name}({text}, axis={axis})", like, rest, smooth=smooth and name != "max")


def floating(w: Writer, depth: int, rank: int = 0, low: float = ANY[0], high: float = ANY[1]) -> Value | None:
    """An operand of at least a rank, inside a domain."""
    x = w.operand(depth)
    if x is None or x.rank < rank or not all(isinstance(d, str) or d > 0 for d in x.shape):
        return None
    return squashed(x, low, high)


def distinct(w: Writer, rank: int = 1) -> Value | None:
    """An input: two of its elements are equal with probability 0, however they are rounded."""
    found = [v for v in w.inputs.values() if v.is_float and v.rank >= rank]
    return w.random.choice(found) if found else None


def axis_of(w: Writer, x: Value) -> int:
    return w.random.randrange(x.rank)


def without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def positive_definite(w: Writer, depth: int) -> tuple[str, Value] | None:
    """A text for a well-conditioned symmetric matrix made of an array, and the array."""
    x = floating(w, depth, 2, -1.5, 1.5)
    if x is None or not w.inputs or x.rank > 2:
        return None
    d = x.shape[0]
    return f"({x.text} @ {x.text}.T + 2.0 * eye({d}))", x


# --- elementwise ---

# name: domain of the argument, smooth.  The result is squashed.
UNARY: dict[str, tuple[float, float, bool]] = {
    "erf({})": (-3.0, 3.0, True),
    "erfc({})": (-3.0, 3.0, True),
    "gammaln({})": (0.4, 6.0, True),
    "digamma({})": (0.5, 6.0, True),
    "polygamma(1, {})": (0.6, 5.0, True),
    "polygamma(2, {})": (0.8, 5.0, True),
    "gamma({})": (0.4, 3.0, True),
    "multigammaln({}, 2)": (1.0, 5.0, True),
    "i0({})": (-2.0, 2.0, True),
    "i1({})": (-2.0, 2.0, True),
    "i0e({})": (0.1, 3.0, True),
    "i1e({})": (0.1, 3.0, True),
    "logit({})": (0.05, 0.95, True),
    "log_expit({})": (-9.0, 9.0, True),
    "erfinv({})": (-0.9, 0.9, True),
    "erfcinv({})": (0.1, 1.9, True),
    "ndtri({})": (0.05, 0.95, True),
    "entr({})": (0.05, 3.0, True),
    "ndtr({})": (-3.0, 3.0, True),
    "log_ndtr({})": (-4.0, 4.0, True),
    "norm_pdf({})": (-3.0, 3.0, True),
    "norm_logpdf({}, 0.5, 2.0)": (-3.0, 3.0, True),
    "norm_cdf({}, loc=0.25)": (-3.0, 3.0, True),
    "norm_logcdf({})": (-3.0, 3.0, True),
    "arcsinh({})": (-9.0, 9.0, True),
    "arccosh({})": (1.2, 6.0, True),
    "arctanh({})": (-0.9, 0.9, True),
    "cbrt({})": (0.3, 8.0, True),
    "sinc({})": (-2.0, 2.0, True),
    "deg2rad({})": (-9.0, 9.0, True),
    "degrees({})": (-0.2, 0.2, True),
    "positive({})": (*ANY, True),
    "nan_to_num({})": (*ANY, True),
    "fabs({})": (*ANY, False),
    "fix({})": (*ANY, False),
    "trunc({})": (*ANY, False),
    "round({}, 1)": (*ANY, False),
    "mod({}, 1.5)": (*ANY, False),
    "({} % 0.75)": (*ANY, False),
    "({} // 0.75)": (*ANY, False),
    "modf({})[0]": (*ANY, False),
    "divmod({}, 2.0)[1]": (*ANY, False),
    "ldexp({}, 2)": (-3.0, 3.0, True),
    "unwrap({})": (-1.0, 1.0, True),
    "piecewise({0}, [{0} < 0, {0} > 1], [-1.0, {0} * {0}, 0.5])": (-3.0, 3.0, False),
    "select([{0} < 0, {0} < 0.5], [{0}**2, sin({0})], 0.25)": (-3.0, 3.0, False),
    "polyval([1.0, -0.5, 2.0], {})": (-1.5, 1.5, True),
    "interp({}, [-2.0, 0.0, 1.0, 3.0], [1.0, -1.0, 2.0, 0.5])": (-3.0, 4.0, False),
}


def special(w: Writer, depth: int) -> Value | None:
    text = w.random.choice(list(UNARY))
    low, high, smooth = UNARY[text]
    x = floating(w, depth, text.startswith("unwrap"), low, high)
    return None if x is None else bounded(text.format(x.text), x, smooth=smooth)


# name: domains of both arguments, smooth.
BINARY: dict[str, tuple[tuple[float, float], tuple[float, float], bool]] = {
    "xlogy({}, {})": ((-2.0, 2.0), (0.1, 3.0), True),
    "xlog1py({}, {})": ((-2.0, 2.0), (-0.8, 3.0), True),
    "rel_entr({}, {})": ((0.1, 2.0), (0.1, 2.0), True),
    "kl_div({}, {})": ((0.1, 2.0), (0.1, 2.0), True),
    "beta({}, {})": ((0.4, 3.0), (0.4, 3.0), True),
    "betaln({}, {})": ((0.4, 3.0), (0.4, 3.0), True),
    "hypot({}, {})": ((0.1, 5.0), (-5.0, 5.0), True),
    "arctan2({}, {})": ((-5.0, 5.0), (0.1, 5.0), True),
    "logaddexp2({}, {})": ((-9.0, 9.0), (-9.0, 9.0), True),
    "float_power({}, {})": ((0.2, 2.0), (-2.0, 2.0), True),
    "norm_logpdf({}, {}, 0.5)": ((-2.0, 2.0), (-2.0, 2.0), True),
    "norm_pdf(0.5, {}, {})": ((-2.0, 2.0), (0.3, 2.0), True),
    "norm_logcdf({}, 0.0, {})": ((-2.0, 2.0), (0.3, 2.0), True),
    "fmax({}, {})": (ANY, ANY, False),
    "fmin({}, {})": (ANY, ANY, False),
    "fmod({}, {})": ((-5.0, 5.0), (0.4, 2.0), False),
    "remainder({}, {})": ((-5.0, 5.0), (0.4, 2.0), False),
    "floor_divide({}, {})": ((-5.0, 5.0), (0.4, 2.0), False),
    "copysign({}, {})": (ANY, ANY, False),
    "heaviside({}, {})": (ANY, ANY, False),
    "polyval([{1}, 0.5, {1}], {0})": ((-1.5, 1.5), (-1.5, 1.5), True),
}


def binary(w: Writer, depth: int) -> Value | None:
    text = w.random.choice(list(BINARY))
    first, second, smooth = BINARY[text]
    a, b = floating(w, depth, 0, *first), floating(w, depth, 0, *second)
    if a is None or b is None or (shape := broadcast(a.shape, b.shape)) is None:
        return None
    if "polyval" in text and b.rank:
        return None
    dtype = generator.promote(a.dtype, b.dtype)
    like = made("", a, 0, 0, dtype=dtype, smooth=a.smooth and b.smooth, used=a.used or b.used)
    if "float_power" in text:
        like = made("", like, 0, 0, dtype="float64")
    return bounded(text.format(a.text, b.text), like, shape, smooth=smooth)


# --- reductions ---

REDUCED = (
    ("var", ", ddof=1", True),
    ("std", ", ddof=1", True),
    ("ptp", "", False),
    ("nansum", "", True),
    ("nanmean", "", True),
    ("nanprod", "", True),
    ("nanvar", "", True),
    ("nanstd", ", ddof=1", True),
    ("average", "", True),
    ("sum", ", initial=0.5", True),
    ("prod", ", initial=0.5", True),
    ("max", ", initial=0.1", False),
    ("min", ", initial=0.1", False),
    ("linalg.norm", "", False),
    ("linalg.vector_norm", ", ord=3", False),
    ("linalg.vector_norm", ", ord=1", False),
)


def statistic(w: Writer, depth: int) -> Value | None:
    x = floating(w, depth, 1, -2.0, 2.0)
    if x is None:
        return None
    w.least = max(w.least, 2)
    name, extra, smooth = w.random.choice(REDUCED)
    axis = axis_of(w, x)
    if x.shape[axis] == 1:
        return None
    prefix = "np." if "." in name else ""
    keep = w.random.random() < 0.3
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :]) if keep else without(x.shape, axis)
    kept = ", keepdims=True" if keep else ""
    if not smooth and name != "ptp" and "norm" not in name:
        smooth = False
    return bounded(f"{prefix}{name}({x.text}, axis={axis}{extra}{kept})", x, shape, smooth=smooth and "std" not in name)


def masked_reduction(w: Writer, depth: int) -> Value | None:
    x, c = floating(w, depth, 1, -2.0, 2.0), comparison(w, depth)
    if x is None or c is None or broadcast(c.shape, x.shape) != x.shape:
        return None
    axis = axis_of(w, x)
    call = w.random.choice(
        (
            "sum({x}, axis={a}, where={c})",
            "prod({x}, axis={a}, where={c})",
            "sum({x}, axis={a}, where={c}, initial=2.0)",
            "max({x}, axis={a}, where={c}, initial=-3.0)",
            "min({x}, axis={a}, where={c}, initial=3.0)",
            "sum(where({c}, {x}, 0), axis={a}) / (1 + count_nonzero(broadcast_to({c}, {x}.shape), axis={a}))",
            "logsumexp({x}, axis={a}, b=where({c}, 1.0, 2.0))",
        )
    )
    if "count_nonzero" in call and not x.text.isidentifier():
        return None
    return bounded(call.format(x=x.text, a=axis, c=c.text), x, without(x.shape, axis), smooth=False)


# --- order ---

SORTED = (
    "sort({x}, axis={a})",
    "partition({x}, 1, axis={a})",
    "take_along_axis({x}, argsort({x}, axis={a}), axis={a})",
    "maximum_accumulate({x}, axis={a})",
    "minimum_accumulate({x}, axis={a})",
    "logaddexp_accumulate({x}, axis={a})",
    "flip(sort({x}, axis={a}), axis={a})",
    "where({x} >= median({x}, axis={a}, keepdims=True), {x}, 0.0)",
)
QUANTILES = (
    "median({x}, axis={a})",
    "quantile({x}, 0.3, axis={a})",
    "percentile({x}, 80, axis={a})",
    "nanmedian({x}, axis={a})",
    "quantile({x}, 0.25, axis={a}, method='lower')",
    "quantile({x}, [0.1, 0.75], axis={a})[1]",
    "max(take_along_axis({x}, argmax({x}, axis={a}, keepdims=True), axis={a}), axis={a})",
    "nanmax({x}, axis={a})",
    "nanmin({x}, axis={a})",
)


def ordered(w: Writer, depth: int) -> Value | None:
    x = distinct(w)
    if x is None or any(d == 1 for d in x.shape):
        return None
    w.least = max(w.least, 2)
    a = axis_of(w, x)
    if w.random.random() < 0.5:
        return made(w.random.choice(SORTED).format(x=x.text, a=a), x, min(x.low, 0), max(x.high, 0), smooth=False)
    text = w.random.choice(QUANTILES).format(x=x.text, a=a)
    return made(text, x, x.low, x.high, shape=without(x.shape, a), smooth=False)


# --- along an axis: the size of the axis stays ---

KEPT = (
    ("cumsum({x}, axis={a})", True),
    ("cumprod({x}, axis={a})", True),
    ("nancumsum({x}, axis={a})", True),
    ("nancumprod({x}, axis={a})", True),
    ("cumulative_sum({x}, axis={a})", True),
    ("roll({x}, 1, axis={a})", True),
    ("roll({x}, -2, {a})", True),
    ("flip({x}, {a})", True),
    ("gradient({x}, axis={a})", True),
    ("gradient({x}, 0.5, axis={a})", True),
    ("softmax({x}, axis={a})", True),
    ("take({x}, [0, 0, 1], axis={a}, mode='wrap')", True),
    ("np.fft.fftshift({x}, {a})", True),
    ("np.fft.ifft(np.fft.fft({x}, axis={a}), axis={a})[0]", True),
    ("np.fft.irfft(np.fft.rfft({x}, axis={a}), {d}, axis={a})", True),
    ("np.fft.fft({x}, axis={a})[0]", True),
    ("np.fft.fft({x}, axis={a}, norm='ortho')[1]", True),
    ("diff({x}, axis={a}, prepend=0.5)", True),
    ("concatenate((split({x}, [1, 2], axis={a})[1], delete({x}, 1, axis={a})), axis={a})", True),
)


def along(w: Writer, depth: int) -> Value | None:
    x = floating(w, depth, 1, -1.5, 1.5)
    if x is None:
        return None
    text, smooth = w.random.choice(KEPT)
    a = axis_of(w, x)
    if x.shape[a] == 1:
        return None
    w.least = max(w.least, 3)
    if isinstance(x.shape[a], int) and x.shape[a] < 3:
        return None
    shape = (*x.shape[:a], 3, *x.shape[a + 1 :]) if text.startswith("take(") else x.shape
    return bounded(text.format(x=x.text, a=a, d=x.shape[a]), x, shape, smooth=smooth)


# --- along an axis: the size of the axis changes, and the axis is reduced at once ---

CHANGED = (
    "diff({x}, axis={a})",
    "diff({x}, 2, axis={a})",
    "cumulative_sum({x}, axis={a}, include_initial=True)",
    "cumulative_prod({x}, axis={a}, include_initial=True)",
    "repeat({x}, 2, axis={a})",
    "append({x}, {x}, axis={a})",
    "insert({x}, 1, 0.5, axis={a})",
    "delete({x}, -1, axis={a})",
    "split({x}, [1], axis={a})[1]",
    "array_split({x}, [1, 2], axis={a})[0]",
    "np.fft.rfft({x}, axis={a})[0]",
    "np.fft.rfft({x}, axis={a})[1]",
    "take({x}, [1, 0, -1], axis={a})",
    "min(sliding_window_view({x}, 2, axis={a}), axis=-1)",
    "mean(sliding_window_view({x}, 3, axis={a}), axis=-1)",
    "concatenate(({x}, flip({x}, {a})), axis={a})",
    "pad({x}, {w}, mode='constant', constant_values=0.25)",
    "pad({x}, {w}, mode='edge')",
    "pad({x}, {w}, mode='reflect')",
    "pad({x}, {w}, mode='symmetric')",
    "pad({x}, {w}, mode='wrap')",
    "tile({x}, {t})",
    "compress([True, False, True], {x}, axis={a})",
)


def changed(w: Writer, depth: int) -> Value | None:
    x = floating(w, depth, 1, -1.5, 1.5)
    if x is None:
        return None
    a = axis_of(w, x)
    if x.shape[a] == 1 or (isinstance(x.shape[a], int) and x.shape[a] < 3):
        return None
    text = w.random.choice(CHANGED)
    widths = [(1, 2) if i == a else (0, 0) for i in range(x.rank)]
    times = tuple(2 if i == a else 1 for i in range(x.rank))
    call = text.format(x=x.text, a=a, w=tuple(widths) if x.rank > 1 else (1, 2), t=times if x.rank > 1 else 2)
    return consumed(w, call, x, x.shape, (a,), smooth="min(" not in text)


def one_dimensional(w: Writer, depth: int) -> Value | None:
    x, y = floating(w, depth, 1, -1.5, 1.5), floating(w, depth, 1, -1.5, 1.5)
    if x is None or y is None or x.rank > 1 or y.rank > 1:
        return None
    w.least = max(w.least, 3)
    like = made("", x, 0, 0, dtype=generator.promote(x.dtype, y.dtype), smooth=x.smooth and y.smooth, used=True)
    mode = w.random.choice(("full", "same", "valid"))
    name = w.random.choice(("convolve", "correlate", "ediff1d", "trapezoid", "vander", "diag", "cov", "weighted"))
    if name in ("convolve", "correlate"):
        mode = mode if x.shape == y.shape else "full"  # which of two named sizes is larger is not known
        return bounded(f"sum({name}({x.text}, {y.text}, '{mode}')**2)", like, ())
    if name == "ediff1d":
        return bounded(f"sum(ediff1d({x.text}, to_end=1.0)**2)", x, ())
    if name == "trapezoid":
        return bounded(f"trapezoid({x.text}, dx=0.5)", x, ())
    if name == "vander":
        return bounded(f"vander({x.text}, 3)", x, (x.shape[0], 3))
    if name == "diag":
        k = w.random.choice((0, 0, 1, -1))
        if k == 0:
            return bounded(f"diag({x.text})", x, (x.shape[0], x.shape[0]))
        return bounded(f"sum(diag({x.text}, {k})[:, ::-1] @ ones({x.shape[0]} + 1))", x, ())
    if x.shape != y.shape or x.shape[0] in (1, 2):
        return None
    if name == "cov":
        return bounded(f"cov({x.text}, {y.text})", like, (2, 2))
    return bounded(f"average({x.text}, weights=1.5 + tanh({y.text}))", like, ())


# --- matrices ---

SQUARE = (
    ("tril({x}, {k})", True),
    ("triu({x}, {k})", True),
    ("{x} + diag(diagonal({x}))", True),
    ("trace({x}) * {x}", True),
    ("np.linalg.matrix_power({x}, 2)", True),
    ("np.linalg.matrix_transpose({x})", True),
    ("rot90({x})", True),
    ("fliplr({x})", True),
    ("flipud({x})", True),
    ("kron({x}, ones((1, 1)))", True),
    ("roll({x}, (1, 2), axis=(0, 1))", True),
)
DEFINITE = (
    ("np.linalg.inv({p})", "matrix"),
    ("np.linalg.cholesky({p})", "matrix"),
    ("np.linalg.pinv({p})", "matrix"),
    ("np.linalg.solve({p}, {x})", "like"),
    ("np.linalg.lstsq({p}, {x})[0]", "like"),
    ("solve_triangular(np.linalg.cholesky({p}), {x}, lower=True)", "like"),
    ("cho_solve(cho_factor({p}), {x})", "like"),
    ("np.linalg.matrix_power({p}, -1)", "matrix"),
    ("np.linalg.slogdet({p})[1]", "scalar"),
    ("log(np.linalg.det({p}))", "scalar"),
    ("sum(log(np.linalg.eigvalsh({p})))", "scalar"),
    ("sum(np.linalg.svdvals({p})**2)", "scalar"),
    ("np.linalg.norm({p})", "scalar"),
    ("np.linalg.norm({p}, 'fro')", "scalar"),
    ("np.linalg.multi_dot([{p}, {x}])", "like"),
    ("(np.linalg.eigh({p})[1] * sqrt(np.linalg.eigh({p})[0])) @ np.linalg.eigh({p})[1].T", "matrix"),
    ("np.linalg.trace({p})", "scalar"),
)


def square(w: Writer, depth: int) -> Value | None:
    x = floating(w, depth, 2, -1.5, 1.5)
    if x is None or x.rank != 2 or x.shape[0] != x.shape[1]:
        return None
    w.least = max(w.least, 1)
    text, smooth = w.random.choice(SQUARE)
    return bounded(text.format(x=x.text, k=w.random.choice((-1, 0, 1))), x, smooth=smooth)


def definite(w: Writer, depth: int) -> Value | None:
    found = positive_definite(w, depth)
    if found is None:
        return None
    p, x = found
    text, kind = w.random.choice(DEFINITE)
    if "eigh" in text or "svd" in text:
        w.least = max(w.least, 3)
        d, q = x.shape
        if "svd" in text or isinstance(d, int) or isinstance(q, int):
            text, kind = "np.linalg.norm({p})", "scalar"
    shape = {"matrix": (x.shape[0], x.shape[0]), "like": x.shape, "scalar": ()}[kind]
    w.least = max(w.least, 1)
    return bounded(text.format(p=p, x=x.text), x, shape)


def contracted(w: Writer, depth: int) -> Value | None:
    """einsum over letters that stand for the axes' sizes."""
    a, b = floating(w, depth, 1, -1.5, 1.5), floating(w, depth, 1, -1.5, 1.5)
    if a is None or b is None:
        return None
    letters = {d: "ijklmnop"[i] for i, d in enumerate(dict.fromkeys((*a.shape, *b.shape)))}
    left, right = ("".join(letters[d] for d in v.shape) for v in (a, b))
    if 1 in letters or len(set(left)) < len(left) or len(set(right)) < len(right):
        return None
    out = w.random.sample(sorted(letters, key=str), w.random.randint(0, min(3, len(letters))))
    subscripts = f"'{left},{right}->{''.join(letters[d] for d in out)}'"
    like = made("", a, 0, 0, dtype=generator.promote(a.dtype, b.dtype), smooth=a.smooth and b.smooth, used=True)
    if w.random.random() < 0.3:
        text = f"einsum({subscripts[:-1].replace('->', f',{right}->')}', {a.text}, {b.text}, {b.text})"
        return bounded(text, like, tuple(out))
    return bounded(f"einsum({subscripts}, {a.text}, {b.text})", like, tuple(out))


def tensors(w: Writer, depth: int) -> Value | None:
    a, b = floating(w, depth, 1, -1.5, 1.5), floating(w, depth, 1, -1.5, 1.5)
    if a is None or b is None or a.shape[-1] != b.shape[-1] or a.shape[-1] == 1:
        return None
    like = made("", a, 0, 0, dtype=generator.promote(a.dtype, b.dtype), smooth=a.smooth and b.smooth, used=True)
    if a.rank + b.rank <= 5 and w.random.random() < 0.4:
        return bounded(f"inner({a.text}, {b.text})", like, (*a.shape[:-1], *b.shape[:-1]))
    if a.rank + b.rank <= 5 and w.random.random() < 0.5:
        axes = f"([{a.rank - 1}], [{b.rank - 1}])"
        return bounded(f"tensordot({a.text}, {b.text}, axes={axes})", like, (*a.shape[:-1], *b.shape[:-1]))
    if (front := broadcast(a.shape[:-1], b.shape[:-1])) is None:
        return None
    if a.shape[-1] == 3 and w.random.random() < 0.6:
        return bounded(f"cross({a.text}, {b.text})", like, (*front, 3))
    return bounded(f"vecdot({a.text}, {b.text})", like, front)


def written_into(w: Writer, depth: int) -> Value | None:
    """Arrays with some elements replaced."""
    x = floating(w, depth, 1, -1.5, 1.5)
    if x is None or 1 in x.shape:
        return None
    w.least = max(w.least, 2)
    a = axis_of(w, x)
    texts = [f"put_along_axis({x.text}, argmax({x.text}, axis={a}, keepdims=True), 0.5, axis={a})"]
    if x.rank == 2 and not w.want_smooth:
        texts.append(f"fill_diagonal({x.text}, 0.25)")
    if not x.text.isidentifier() or x.text not in w.inputs:
        return None
    return bounded(w.random.choice(texts), x, smooth=False)


RULES: tuple[Callable[..., Value | None], ...] = (
    *generator.RULES,
    *(special, special, special, binary, binary, statistic, statistic, masked_reduction, ordered, ordered),
    *(along, along, along, changed, changed, changed, one_dimensional, square, definite, definite, contracted),
    *(contracted, tensors, written_into),
)
__all__ = ["MOST", "RULES", "count_of", "program"]
