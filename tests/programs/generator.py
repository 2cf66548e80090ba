"""Random typed models in the text language, from a seed.

    program(7).text      the text of model 7
    inputs(program(7), {"n": 3, "m": 4, "k": 2}, seed=7)      arrays for it

The generator keeps a type, an interval and a smoothness for every value, so that all values stay
finite and inside the domains of the functions, whatever the sizes. Shapes are worked out here, and
not by graphc.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Dim = str | int
Shape = tuple[Dim, ...]
Production = Callable[..., "Value | None"]  # of a writer and a depth

NAMES = (
    "x",
    "y",
    "z",
    "w",
    "b",
    "h",
    "q",
    "W1",
    "b1",
    "z1",
    "a1",
    "loss",
    "logits",
    # names that the generated file, Python or NumPy use, too
    "forward",
    "backward",
    "saved",
    "dloss",
    "value",
    "name",
    "shape",
    "t",
    "i",
    "e",
    "math",
    "list",
    "float",
    "int",
    "len",
    "isinstance",
    "ValueError",
    "TypeError",
    "dtype",
    "ndim",
    "Array",
    "Saved",
    "Gradients",
    "value_and_grad",
    "dx",
    "dz",
    "dz1",
    "d",
    "dx_",
    "IntArray",
    "NDArray",
    "NamedTuple",
    "tuple",
    "object",
    "print",
    "self",
    "match",
    "top",
    "p",
    "total",
    "num",
    "den",
    "ratio",
    "mask",
    "s",
    "prod_",
    "n_",
    "u2",
    "x2",
    "softplus_x",
    "bool",
    "type",
)
LIMIT = 30.0  # no value is larger
MOST = 6  # the largest size of an axis


@dataclass(frozen=True)
class Value:
    """text: how it is written.  tight: whether it can be an operand as it stands."""

    text: str
    shape: Shape
    dtype: str
    low: float
    high: float
    smooth: bool = True
    used: bool = True  # depends on an input of floating-point type

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        return self.dtype.startswith("float")


@dataclass
class Program:
    """text: the model.  inputs: name -> value.  smooth: outputs have no kinks.  least: of any size."""

    seed: int
    text: str
    inputs: dict[str, Value]
    smooth: bool
    least: int


def program(seed: int, statements: int | None = None, rules: Sequence[Production] | None = None) -> Program:
    """The model of a seed, written with some productions (default: those of this file)."""
    return _Writer(seed, statements, rules or RULES).write()


def inputs(model: Program, sizes: dict[str, int], seed: int = 0) -> dict[str, np.ndarray[Any, Any]]:
    """Arrays for a model; integers are positions that every axis has."""
    draw = np.random.default_rng([seed, model.seed])
    least = min([*sizes.values(), 2])
    found: dict[str, Any] = {}
    for name, value in model.inputs.items():
        shape = tuple(sizes[d] if isinstance(d, str) else d for d in value.shape)
        if value.dtype == "int64":
            found[name] = draw.integers(-least, least, shape) if least else np.zeros(shape, np.int64)
        elif value.dtype == "bool":
            found[name] = draw.integers(0, 2, shape).astype(bool)
        else:
            found[name] = np.asarray(draw.uniform(value.low, value.high, shape)).astype(value.dtype)
        found[name] = np.asarray(found[name])
    return found


def number(value: float) -> str:
    return repr(value)


def broadcast(a: Shape, b: Shape) -> Shape | None:
    """The common shape, or None."""
    rank = max(len(a), len(b))
    left, right = ((1,) * (rank - len(s)) + s for s in (a, b))
    result: list[Dim] = []
    for p, q in zip(left, right, strict=True):
        if p != q and 1 not in (p, q):
            return None
        result.append(q if p == 1 else p)
    return tuple(result)


def written(shape: Shape) -> str:
    inner = ", ".join(map(str, shape))
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


@dataclass
class _Writer:
    seed: int
    statements: int | None
    rules: Sequence[Production]
    lines: list[str] = field(default_factory=list)
    pool: list[Value] = field(default_factory=list)
    least: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.names = list(NAMES)
        self.random.shuffle(self.names)
        self.inputs: dict[str, Value] = {}
        self.single = self.random.random() < 0.15
        self.want_smooth = self.random.random() < 0.5
        self.dims: list[Dim] = self.random.choice([["n"], ["n", "m"], ["n", "m", "k"], ["n", 3], ["n", 1, "m"], [2, 3]])

    def write(self) -> Program:
        for _ in range(self.random.randint(1, 5)):
            self.declare()
        if not any(v.is_float for v in self.pool):
            self.declare("float64")
        count = self.statements or self.random.randint(1, 12)
        made: list[Value] = []
        while len(made) < count:
            value = self.expression(self.random.randint(1, 3))
            if value is None:
                continue
            name = self.names.pop()
            self.lines.append(f"{name} = {value.text}")
            made.append(Value(name, value.shape, value.dtype, value.low, value.high, value.smooth, value.used))
            self.pool.append(made[-1])
        self.give(made)
        smooth = all(v.smooth for v in made)
        return Program(self.seed, "\n".join(self.lines) + "\n", self.inputs, smooth, self.least)

    def give(self, made: list[Value]) -> None:
        """The return statement: mostly one scalar loss, sometimes several outputs of any kind."""
        floats = [v for v in made if v.is_float and v.used] or made
        last = floats[-1]
        kind = self.random.random()
        if kind < 0.55 and last.is_float:
            others = self.random.sample(floats, min(len(floats), self.random.randint(1, 3)))
            terms = [f"{self.random.choice(('sum', 'mean'))}({v.text})" if v.rank else v.text for v in others]
            if any(t.startswith("mean") for t in terms):
                self.least = max(self.least, 1)
            self.lines.append(f"{self.names.pop()} = {' + '.join(terms)}")
            return
        if kind < 0.62:
            return  # the last assignment is the output
        choices = [v for v in [*self.pool] if v.is_float or self.random.random() < 0.3]
        outputs = [self.random.choice(choices or self.pool).text for _ in range(self.random.randint(1, 4))]
        if self.random.random() < 0.1:
            outputs.append(self.random.choice(("2.5", "zeros((3,))", "ones((2, 2))", f"{last.text} + 0")))
        for i, name in enumerate(outputs):
            if name in outputs[:i]:  # the same value twice, under a name of its own
                outputs[i] = self.names.pop()
                self.lines.append(f"{outputs[i]} = {name}")
        self.lines.append(f"return {', '.join(outputs)}")

    def declare(self, dtype: str | None = None) -> None:
        name = self.names.pop()
        if dtype is None:
            dtype = self.random.choices(("float64", "int64", "bool"), (10, 2, 0.7))[0]
            if dtype == "float64" and (self.single or self.random.random() < 0.04):
                dtype = "float32"
        rank = self.random.choices((0, 1, 2, 3), (3, 4, 4, 1))[0]
        if dtype == "int64":
            rank = self.random.choice((0, 1, 1, 2))
        shape = tuple(self.random.choice(self.dims) for _ in range(rank))
        low, high = self.random.choice(((-2.0, 2.0), (0.25, 2.0), (-1.0, 1.0), (0.1, 0.9), (-2.0, -0.5)))
        if dtype == "int64":
            low, high = -2.0, 1.0
        if dtype == "bool":
            low, high = 0.0, 1.0
        value = Value(name, shape, dtype, low, high, used=dtype.startswith("float"))
        short = {"float64": "f64", "float32": "f32", "int64": "i64", "bool": "bool"}[dtype]
        self.lines.append(f"{name}: {short}[{', '.join(map(str, shape))}]" if shape else f"{name}: {short}")
        self.inputs[name] = value
        self.pool.append(value)

    # --- expressions ---

    def expression(self, depth: int) -> Value | None:
        for _ in range(20):
            value = self.random.choice(self.rules)(self, depth)
            if value is None or (self.want_smooth and not value.smooth):
                continue
            if not all(map(math.isfinite, (value.low, value.high))) or max(abs(value.low), abs(value.high)) > LIMIT:
                continue
            if value.rank <= 3 and len(value.text) < 400:
                return value
        return None

    def operand(self, depth: int, *, floating: bool = True, positive: bool = False) -> Value | None:
        """A value from the pool, or a new expression in parentheses."""
        if depth > 1 and self.random.random() < 0.45:
            value = self.expression(depth - 1)
            if value is not None and (value.is_float or not floating) and (value.low > 0.02 or not positive):
                return Value(
                    f"({value.text})", value.shape, value.dtype, value.low, value.high, value.smooth, value.used
                )
        choices = [v for v in self.pool if (v.is_float or not floating) and (v.low > 0.02 or not positive)]
        return self.random.choice(choices) if choices else None

    def constant(self) -> Value:
        value = self.random.choice((0.5, 2.0, 3.0, -1.0, 1.0, -0.25, 1.5, 0.1, 2, 1, 3, -2, 0.0, 1e-3))
        text = number(value)
        return Value(f"({text})" if value < 0 else text, (), "weak", value, value, used=False)

    def pair(self, depth: int) -> tuple[Value, Value, Shape, str] | None:
        """Two operands that broadcast."""
        a = self.operand(depth)
        if a is None:
            return None
        b: Value | None = self.constant() if self.random.random() < 0.25 else None
        for _ in range(8):
            b = b or self.operand(depth, floating=self.random.random() < 0.9)
            if b is None or b.dtype == "bool":
                b = None
                continue
            shape = broadcast(a.shape, b.shape)
            if shape is not None:
                if self.random.random() < 0.5:
                    a, b = b, a
                return a, b, shape, promote(a.dtype, b.dtype)
            b = None
        return None


def promote(a: str, b: str) -> str:
    if "weak" in (a, b):
        other = b if a == "weak" else a
        return "float64" if other in ("int64", "weak") else other
    if "float32" in (a, b) and "int64" in (a, b):
        return "float64"
    order = ("bool", "int64", "float32", "float64")
    return max(a, b, key=order.index)


def made(text: str, like: Value, low: float, high: float, **changes: Any) -> Value:
    fields = {"shape": like.shape, "dtype": like.dtype, "smooth": like.smooth, "used": like.used, **changes}
    return Value(text, fields["shape"], fields["dtype"], low, high, fields["smooth"], fields["used"])


# --- the productions ---

_MONOTONE = {
    "tanh": math.tanh,
    "arctan": math.atan,
    "sinh": lambda x: math.sinh(max(-9, min(9, x))),
    "expm1": lambda x: math.expm1(min(x, 9)),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: max(x, 0) + math.log1p(math.exp(-abs(x))),
    "exp": lambda x: math.exp(min(x, 9)),
    "exp2": lambda x: 2.0 ** min(x, 9),
}
_POSITIVE = {"log": math.log, "sqrt": math.sqrt, "log2": math.log2, "log10": math.log10}
_STEPS = {
    "floor": math.floor,
    "ceil": math.ceil,
    "rint": round,
    "sign": lambda x: (x > 0) - (x < 0),
    "relu": lambda x: max(x, 0),
}


def unary(w: _Writer, depth: int) -> Value | None:
    x = w.operand(depth)
    if x is None:
        return None
    name = w.random.choice(
        [
            *_MONOTONE,
            *_POSITIVE,
            *_STEPS,
            "sin",
            "cos",
            "abs",
            "square",
            "negative",
            "reciprocal",
            "arcsin",
            "arccos",
            "log1p",
            "cosh",
            "tan",
            "stop_gradient",
        ]
    )
    if name in _MONOTONE:
        return made(f"{name}({x.text})", x, _MONOTONE[name](x.low), _MONOTONE[name](x.high))
    if name in _POSITIVE:
        return made(f"{name}({x.text})", x, *(_POSITIVE[name](v) for v in (x.low, x.high))) if x.low > 0.05 else None
    if name in _STEPS:
        return made(f"{name}({x.text})", x, _STEPS[name](x.low), _STEPS[name](x.high), smooth=False)
    if name in ("sin", "cos"):
        return made(f"{name}({x.text})", x, -1.0, 1.0)
    if name == "abs":
        away = x.low > 0.01 or x.high < -0.01
        least = min(abs(x.low), abs(x.high)) if away else 0.0
        return made(f"abs({x.text})", x, least, max(abs(x.low), abs(x.high)), smooth=x.smooth and away)
    if name == "square":
        spelled = w.random.choice(("square({})", "{}**2", "{0} * {0}"))
        return made(spelled.format(x.text), x, 0.0, max(x.low**2, x.high**2))
    if name == "negative":
        return made(f"-{x.text}", x, -x.high, -x.low)
    if name == "reciprocal" and x.low > 0.1:
        spelled = w.random.choice(("reciprocal({})", "1 / {}", "{}**-1"))
        return made(spelled.format(x.text), x, 1 / x.high, 1 / x.low)
    if name in ("arcsin", "arccos") and x.low > -0.95 and x.high < 0.95:
        return made(f"{name}({x.text})", x, -2.0 if name == "arcsin" else 0.0, 2.0 if name == "arcsin" else math.pi)
    if name == "log1p" and x.low > -0.9:
        return made(f"log1p({x.text})", x, math.log1p(x.low), math.log1p(x.high))
    if name == "cosh" and max(abs(x.low), abs(x.high)) < 5:
        return made(f"cosh({x.text})", x, 1.0, math.cosh(max(abs(x.low), abs(x.high))))
    if name == "tan" and max(abs(x.low), abs(x.high)) < 1.2:
        return made(f"tan({x.text})", x, math.tan(x.low), math.tan(x.high))
    if name == "stop_gradient":
        return made(f"stop_gradient({x.text})", x, x.low, x.high, smooth=False)
    return None


def arithmetic(w: _Writer, depth: int) -> Value | None:
    found = w.pair(depth)
    if found is None:
        return None
    a, b, shape, dtype = found
    sign = w.random.choice("+-*/")
    both = {"shape": shape, "dtype": dtype, "smooth": a.smooth and b.smooth, "used": a.used or b.used}
    text = f"{a.text} {sign} {b.text}"
    if sign == "+":
        return made(text, a, a.low + b.low, a.high + b.high, **both)
    if sign == "-":
        return made(text, a, a.low - b.high, a.high - b.low, **both)
    if sign == "*":
        ends = [p * q for p in (a.low, a.high) for q in (b.low, b.high)]
        return made(text, a, min(ends), max(ends), **both)
    if b.low <= 0.1 and b.high >= -0.1:
        return None
    ends = [p / q for p in (a.low, a.high) for q in (b.low, b.high)]
    return made(text, a, min(ends), max(ends), **both)


def power(w: _Writer, depth: int) -> Value | None:
    if w.random.random() < 0.5:
        x = w.operand(depth, positive=True)
        exponent = w.random.choice((0.5, -0.5, 1.5, -1, 3, -2, 2.5, 0, 1, 4))
        if x is None or x.low < 0.05:
            return None
        ends = (x.low**exponent, x.high**exponent)
        return made(f"{x.text}**{exponent}", x, min(ends), max(ends))
    x, y = w.operand(depth, positive=True), w.operand(depth)
    if x is None or y is None or x.low < 0.1 or (shape := broadcast(x.shape, y.shape)) is None:
        return None
    ends = [p**q for p in (x.low, x.high) for q in (y.low, y.high)]
    both = {"shape": shape, "dtype": promote(x.dtype, y.dtype), "smooth": x.smooth and y.smooth}
    return made(f"{x.text} ** {y.text}", x, min(ends), max(ends), **both)


def choice(w: _Writer, depth: int) -> Value | None:
    """where, maximum, minimum, clip."""
    found = w.pair(depth)
    if found is None:
        return None
    a, b, shape, dtype = found
    both = {"shape": shape, "dtype": dtype, "smooth": False, "used": a.used or b.used}
    low, high = min(a.low, b.low), max(a.high, b.high)
    kind = w.random.choice(("maximum", "minimum", "where", "clip", "logaddexp"))
    if kind in ("maximum", "minimum"):
        return made(f"{kind}({a.text}, {b.text})", a, low, high, **both)
    if kind == "logaddexp":
        return made(f"logaddexp({a.text}, {b.text})", a, low, high + 0.7, **{**both, "smooth": a.smooth and b.smooth})
    if kind == "clip":
        bounds = w.random.choice(("-0.5, 0.75", "0, 1", "None, 0.5", "0.25, None"))
        if a.dtype in ("weak", "int64"):
            return None
        return made(f"clip({a.text}, {bounds})", a, min(a.low, -0.5), max(a.high, 1.0), smooth=False)
    c = comparison(w, depth)
    if c is None or (whole := broadcast(c.shape, shape)) is None or "weak" == a.dtype == b.dtype:
        return None
    return made(f"where({c.text}, {a.text}, {b.text})", a, low, high, **{**both, "shape": whole})


def comparison(w: _Writer, depth: int) -> Value | None:
    flags = [v for v in w.pool if v.dtype == "bool"]
    if flags and w.random.random() < 0.3:
        flag = w.random.choice(flags)
        return flag if w.random.random() < 0.7 else made(f"~{flag.text}", flag, 0.0, 1.0)
    found = w.pair(depth)
    if found is None:
        return None
    a, b, shape, _ = found
    text = f"({a.text} {w.random.choice(('<', '>', '<=', '>=', '!='))} {b.text})"
    if w.random.random() < 0.2:
        text = f"({text} & ({a.text} > 0.1))"
    return Value(text, shape, "bool", 0.0, 1.0, True, False)


def as_number(w: _Writer, depth: int) -> Value | None:
    c = comparison(w, depth)
    return None if c is None else Value(f"astype({c.text}, float64)", c.shape, "float64", 0.0, 1.0, False, False)


def count_of(shape: Shape) -> int:
    return math.prod(MOST if isinstance(d, str) else d for d in shape)


def axes_of(w: _Writer, x: Value) -> tuple[str, tuple[int, ...]]:
    """An `axis=` argument and the axes."""
    if x.rank == 0 or w.random.random() < 0.3:
        return "", tuple(range(x.rank))
    axes = sorted(w.random.sample(range(x.rank), w.random.randint(1, min(2, x.rank))))
    shown = [a if w.random.random() < 0.6 else a - x.rank for a in axes]
    return f", axis={shown[0] if len(shown) == 1 else tuple(shown)}", tuple(axes)


def reduction(w: _Writer, depth: int) -> Value | None:
    x = w.operand(depth, floating=w.random.random() < 0.95)
    if x is None or x.dtype == "bool":
        return None
    text, axes = axes_of(w, x)
    keep = w.random.random() < 0.4
    kept = tuple(1 if i in axes else d for i, d in enumerate(x.shape))
    shape = kept if keep else tuple(d for i, d in enumerate(x.shape) if i not in axes)
    total = count_of(tuple(x.shape[a] for a in axes))
    name = w.random.choice(("sum", "mean", "max", "min", "var", "std", "prod", "logsumexp", "norm"))
    call = f"({x.text}{text}{', keepdims=True' if keep else ''})"
    if not x.is_float and name not in ("sum", "max"):
        return None
    if name not in ("sum", "prod"):
        if not axes:
            return None
        w.least = max(w.least, 1)
        if any(x.shape[a] == 0 or not isinstance(x.shape[a], (str, int)) for a in axes):
            return None
    ends = {"shape": shape}
    if name == "sum":
        return made(f"sum{call}", x, min(x.low, x.low * total, 0), max(x.high, x.high * total, 0), **ends)
    if name == "mean":
        return made(f"mean{call}", x, x.low, x.high, **ends)
    if name in ("max", "min"):
        return made(f"{name}{call}", x, x.low, x.high, smooth=False, **ends)
    if name == "var":
        return made(f"var{call}", x, 0.0, (x.high - x.low) ** 2, **ends)
    if name == "std":
        return made(f"std{call}", x, 0.0, x.high - x.low, smooth=False, **ends)
    if name == "norm":
        extra = w.random.choice(("", " + 0.5"))
        most = math.sqrt(total) * max(abs(x.low), abs(x.high)) + 1
        return made(
            f"sqrt(sum({x.text}**2{call[1 + len(x.text) :]}{extra})",
            x,
            0.7 if extra else 0.0,
            most,
            smooth=bool(extra) and x.smooth,
            **ends,
        )
    if name == "prod":
        most = max(abs(x.low), abs(x.high), 1.0)
        bound = most ** min(total, 20)
        return made(f"prod{call}", x, -bound, bound, **ends)
    return made(f"logsumexp{call}", x, x.low, x.high + math.log(max(total, 1)), **ends)


def softmaxes(w: _Writer, depth: int) -> Value | None:
    x = w.operand(depth)
    if x is None or not x.rank:
        return None
    axis = w.random.randrange(x.rank)
    w.least = max(w.least, 1)
    t, kind = x.text, w.random.randrange(8)
    at = f"axis={axis}"
    spread = x.high - x.low + math.log(MOST)
    if kind in (0, 1, 2):
        shifted = f"{t} - max({t}, {at}, keepdims=True)"
        texts = (
            f"softmax({t}, {at})",
            f"exp({t}) / sum(exp({t}), {at}, keepdims=True)",
            f"exp({shifted}) / sum(exp({shifted}), {at}, keepdims=True)",
        )
        return made(texts[kind], x, 0.0, 1.0)
    if kind in (3, 4):
        texts = (f"log_softmax({t}, {at})", f"{t} - log(sum(exp({t}), {at}, keepdims=True))")
        return made(texts[kind - 3], x, -spread, 0.0)
    if kind == 5:
        return made(f"log(exp({t}) / sum(exp({t}), {at}, keepdims=True))", x, -spread, 0.0)
    shape = x.shape[:axis] + x.shape[axis + 1 :]
    texts = (f"logsumexp({t}, {at})", f"log(sum(exp({t}), {at}))")
    return made(texts[kind - 6], x, x.low, x.high + math.log(MOST), shape=shape)


def naive(w: _Writer, depth: int) -> Value | None:
    x = w.operand(depth)
    if x is None or max(abs(x.low), abs(x.high)) > 9:
        return None
    t = x.text
    s, big = 0.0, max(abs(x.low), abs(x.high))
    text, low, high = w.random.choice(
        (
            (f"1 / (1 + exp(-{t}))", s, 1.0),
            (f"exp({t}) / (1 + exp({t}))", s, 1.0),
            (f"log(1 + exp({t}))", s, big + 1),
            (f"(exp({t}) - exp(-{t})) / (exp({t}) + exp(-{t}))", -1.0, 1.0),
            (f"2 / (1 + exp(-2 * {t})) - 1", -1.0, 1.0),
            (f"-log(1 / (1 + exp(-{t})))", s, big + 1),
            (f"{t} * sigmoid({t})", -big, big),
            (f"1 - sigmoid({t})", s, 1.0),
            (f"{t} * tanh(log(1 + exp({t})))", -big, big),
            (f"1 - tanh({t})**2", s, 1.0),
            (f"log(1 - sigmoid({t}))", -big - 1, s),
            (f"0.5 * {t} * (1 + tanh(0.7978845608 * ({t} + 0.044715 * {t}**3)))", -big, big),
            (f"{t} / (1 + exp(-{t}))", -big, big),
            (f"sigmoid({t}) * (1 - sigmoid({t}))", s, 1.0),
            (f"(1 - sigmoid({t})) * 2.0 - sigmoid({t}) * 0.5", -1.0, 2.0),
        )
    )
    return made(text, x, low, high)


def product(w: _Writer, depth: int) -> Value | None:
    a = w.operand(depth)
    others = [v for v in w.pool if v.is_float and v.rank]
    if a is None or not a.rank or not others:
        return None
    b = w.random.choice(others)
    if w.random.random() < 0.15:
        most = max(abs(p * q) for p in (a.low, a.high) for q in (b.low, b.high))
        both = {"dtype": promote(a.dtype, b.dtype), "smooth": a.smooth and b.smooth}
        if a.rank == b.rank == 1:
            return made(f"outer({a.text}, {b.text})", a, -most, most, shape=(a.shape[0], b.shape[0]), **both)
        return None
    for text, shape in ((b.text, b.shape), (f"{b.text}.T", b.shape[::-1])):
        inner = shape[-2] if len(shape) > 1 else shape[0]
        if inner != a.shape[-1]:
            continue
        front = broadcast(a.shape[:-2], shape[:-2])
        if front is None:
            return None
        result = (*front, *a.shape[-2:-1], *shape[1:][-1:])
        if len(shape) == 1 and a.rank > 2:
            result = a.shape[:-1]
        most = count_of((inner,)) * max(abs(p * q) for p in (a.low, a.high) for q in (b.low, b.high))
        both = {
            "shape": result,
            "dtype": promote(a.dtype, b.dtype),
            "smooth": a.smooth and b.smooth,
            "used": a.used or b.used,
        }
        return made(f"{a.text} @ {text}", a, -most, most, **both)
    return None


def rearranged(w: _Writer, depth: int) -> Value | None:
    x = w.operand(depth, floating=False)
    if x is None:
        return None
    t, shape = x.text, x.shape
    kind = w.random.randrange(8)
    same = {"low": x.low, "high": x.high}
    if kind == 0:
        return made(f"{t}.T", x, shape=shape[::-1], **same)
    if kind == 1 and x.rank > 1:
        order = w.random.sample(range(x.rank), x.rank)
        return made(f"transpose({t}, {written(tuple(order))})", x, shape=tuple(shape[a] for a in order), **same)
    if kind == 2 and x.rank < 3:
        axis = w.random.randint(0, x.rank)
        return made(f"expand_dims({t}, {axis})", x, shape=(*shape[:axis], 1, *shape[axis:]), **same)
    if kind == 3 and 1 in shape:
        axis = shape.index(1)
        return made(f"squeeze({t}, {axis})", x, shape=shape[:axis] + shape[axis + 1 :], **same)
    if kind == 4 and x.rank < 3:
        wide = (
            w.random.choice([d for v in w.inputs.values() for d in v.shape] or [2]),
            *(w.random.choice([q for v in w.inputs.values() for q in v.shape] or [2]) if d == 1 else d for d in shape),
        )
        return made(f"broadcast_to({t}, {written(wide)})", x, shape=wide, **same)
    if kind == 5 and x.rank > 1:
        flat: Dim = " * ".join(f"({d})" if isinstance(d, str) and not d.isalnum() else str(d) for d in shape)
        flat = flat if any(isinstance(d, str) for d in shape) else count_of(shape)
        text = w.random.choice((f"ravel({t})", f"reshape({t}, {flat})", f"{t}.ravel()"))
        # A product of sizes is only used by what follows if it is reduced: sum it over blocks again.
        back = made(f"reshape({text}, {written(shape)})", x, **same)
        if w.random.random() < 0.5 and x.is_float:
            return made(f"sum({text})", x, min(0, x.low * count_of(shape)), max(0, x.high * count_of(shape)), shape=())
        return back
    if kind == 6 and x.rank == 2:
        return made(f"reshape({t}, {written((shape[0], 1, shape[1]))})", x, shape=(shape[0], 1, shape[1]), **same)
    if kind == 7 and x.rank > 1:
        return made(f"swapaxes({t}, 0, -1)", x, shape=(shape[-1], *shape[1:-1], shape[0]), **same)
    return None


def joined(w: _Writer, depth: int) -> Value | None:
    a = w.operand(depth)
    if a is None:
        return None
    alike = [v for v in w.pool if v.shape == a.shape and v.is_float]
    b = w.random.choice(alike) if alike and w.random.random() < 0.7 else a
    parts = [a, b] if w.random.random() < 0.8 else [a, b, a]
    low, high = min(a.low, b.low), max(a.high, b.high)
    both = {"dtype": promote(a.dtype, b.dtype), "smooth": a.smooth and b.smooth, "used": a.used or b.used}
    texts = ", ".join(p.text for p in parts)
    if a.rank == 0 or (a.rank < 3 and w.random.random() < 0.5):
        axis = w.random.randint(0, a.rank)
        shape = (*a.shape[:axis], len(parts), *a.shape[axis:])
        return made(f"stack(({texts}), axis={axis})", a, low, high, shape=shape, **both)
    axis = w.random.randrange(a.rank)
    d = a.shape[axis]
    text = f"concatenate(({texts}), axis={axis})"
    if isinstance(d, int):
        return made(text, a, low, high, shape=(*a.shape[:axis], d * len(parts), *a.shape[axis + 1 :]), **both)
    # The joined axis has a size that is not a name: reduce it, or cut the first part out again.
    if w.random.random() < 0.5 and len(parts) == 2:
        shape = a.shape[:axis] + a.shape[axis + 1 :]
        most = MOST * len(parts) * max(abs(low), abs(high))
        return made(f"sum({text}, axis={axis})", a, -most, most, shape=shape, **both)
    colons = ":, " * axis
    if not a.text.isidentifier():
        return None
    return made(f"{text}[{colons}:{d}]", a, low, high, shape=a.shape, **both)


def indexed(w: _Writer, depth: int) -> Value | None:
    """One entry for each axis: a position, a slice, None, an array of positions."""
    x = w.operand(depth, floating=w.random.random() < 0.9)
    if x is None or not x.rank or x.dtype == "bool":
        return None
    arrays = [v for v in w.pool if v.dtype == "int64" and v.text in w.inputs and v.rank in (1, 2)]
    entries: list[str] = []
    shape: list[Dim] = []
    chosen = fixed = False  # NumPy moves the axes of positions and arrays that others separate
    least = 1
    for d in x.shape:
        kind = w.random.randrange(9)
        if w.random.random() < 0.08 and not chosen:
            entries.append("None")
            shape.append(1)
        if kind <= 2:
            entries.append(":")
            shape.append(d)
        elif kind == 3 and not chosen:
            if isinstance(d, int) and d < 1:
                return None
            entries.append(w.random.choice(("0", "-1")))
            fixed = True
        elif kind == 4 and arrays and not chosen and not fixed and (isinstance(d, str) or d >= 2):
            index = w.random.choice(arrays)
            entries.append(index.text)
            shape += index.shape
            chosen = True
            least = max(least, 2)
        elif kind == 5:
            entries.append("::-1")
            shape.append(d)
        elif kind == 6 and isinstance(d, int) and d >= 2:
            start, stop, step = w.random.choice(
                ((0, -1, 1), (1, None, 1), (None, None, 2), (None, None, -2), (-2, None, 1), (1, 2, 1))
            )
            entries.append(":".join("" if v is None else str(v) for v in (start, stop, step)))
            shape.append(len(range(*slice(start, stop, step).indices(d))))
        elif kind == 7 and isinstance(d, str) and d.isalnum():
            # a slice of a named size is used up at once: its sum, or its two ends together
            entries.append(w.random.choice(("1:", ":-1", "::2", "1::2")))
            shape.append(f"~{d}")
        else:
            entries.append(":")
            shape.append(d)
    w.least = max(w.least, least)
    while entries and entries[-1] == ":" and w.random.random() < 0.6:
        entries.pop()
    if not entries:
        return None
    if (
        w.random.random() < 0.15
        and len(entries) == len([e for e in entries if e != "None"]) == x.rank > 1
        and entries[0] == ":"
    ):
        entries[0] = "..."
    text = f"{x.text}[{', '.join(entries)}]"
    cut = tuple(i for i, d in enumerate(shape) if isinstance(d, str) and d.startswith("~"))
    if not cut:
        return made(text, x, x.low, x.high, shape=tuple(shape))
    total = MOST ** len(cut)
    rest = tuple(d for i, d in enumerate(shape) if i not in cut)
    axes = cut[0] if len(cut) == 1 else cut
    return made(f"sum({text}, axis={axes})", x, min(0, x.low * total), max(0, x.high * total), shape=rest)


def created(w: _Writer, depth: int) -> Value | None:
    dims = [d for v in w.inputs.values() for d in v.shape]
    if not dims:
        return None
    d, q = w.random.choice(dims), w.random.choice(dims)
    kind = w.random.randrange(6)
    new = Value("", (), "float64", 0.0, 1.0, True, False)
    if kind == 0:
        return made(f"zeros(({d}, {q}))", new, 0.0, 0.0, shape=(d, q))
    if kind == 1:
        return made(f"ones(({d},))", new, 1.0, 1.0, shape=(d,))
    if kind == 2:
        return made(f"eye({d}, {q})", new, 0.0, 1.0, shape=(d, q))
    if kind == 3:
        return made(f"astype(arange({d}), float64)", new, 0.0, float(MOST), shape=(d,))
    if kind == 4:
        return made(f"array([0.5, {w.random.choice((1.0, -2.0))}])", new, -2.0, 1.0, shape=(2,))
    labels = [v for v in w.pool if v.dtype == "int64" and v.text in w.inputs and v.rank == 1]
    if not labels or not isinstance(q, str):
        return None
    label = w.random.choice(labels)
    w.least = max(w.least, 2)
    return made(f"eye({q})[{label.text}]", new, 0.0, 1.0, shape=(*label.shape, q))


RULES = (
    unary,
    unary,
    unary,
    arithmetic,
    arithmetic,
    arithmetic,
    arithmetic,
    power,
    choice,
    as_number,
    reduction,
    reduction,
    softmaxes,
    naive,
    naive,
    product,
    product,
    rearranged,
    rearranged,
    joined,
    indexed,
    indexed,
    created,
)
