"""One idiom of Python's in each function, over the same small matrix."""

import copy
import functools
import itertools
import operator
import warnings
from collections import defaultdict, deque
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import numpy.linalg as la
from numpy import exp, log
from numpy.linalg import norm as nrm
from numpy.linalg import solve


class Base:
    scale = 2.0

    def __init__(self, w):
        self.w = w

    def act(self, z):
        return np.tanh(z)

    def __call__(self, x):
        return self.act(x @ self.w) * self.scale


class Child(Base):
    def __init__(self, w, b):
        super().__init__(w)
        self.b = b

    def act(self, z):
        return super().act(z) + self.b


class Vec:
    def __init__(self, a):
        self.a = a

    def __add__(self, o):
        return Vec(self.a + o.a)

    def __mul__(self, k):
        return Vec(self.a * k)

    __rmul__ = __mul__

    def __matmul__(self, o):
        return self.a @ o.a

    @classmethod
    def of(cls, a):
        return cls(np.asarray(a))

    @staticmethod
    def zero(n):
        return Vec(np.zeros(n))

    @property
    def norm(self):
        return np.sqrt(self @ self)

    def __getitem__(self, i):
        return self.a[i]

    def __len__(self):
        return len(self.a)

    def __iter__(self):
        return iter(self.a)


@dataclass
class Cfg:
    lr: float = 0.1
    sizes: tuple = (3, 2)
    extra: dict = field(default_factory=dict)


@dataclass
class State:
    pos: object
    vel: object

    def step(self, dt):
        return replace(self, pos=self.pos + dt * self.vel, vel=self.vel - dt * np.sin(self.pos))


def inherited_layer(x):
    return Child(x.T, x[0, 0])(x).sum()


def vectors_with_operators(x):
    v = Vec.of(x[0]) + 2 * Vec.of(x[1]) + Vec.zero(3)
    return v.norm + v[0] + len(v) + sum(v)


def nonlocal_total(x):
    total = 0.0

    def add(v):
        nonlocal total
        total += v

    for r in x:
        add((r**2).sum())
    return total


def any_arguments(x):
    def f(a, *rest, k=1.0, **kw):
        return a * k + sum(rest) + kw.get("b", 0)

    opts = {"k": 3.0, "b": x[0, 1]}
    return f(*x[0], **opts)


def generator_of_pairs(x):
    def pairs(a):
        for i in range(len(a)):
            for j in range(i):
                yield a[i] - a[j]

    return sum(np.dot(d, d) for d in pairs(x))


def itertools_and_reduce(x):
    t = 0
    for i, j in itertools.combinations(range(x.shape[0]), 2):
        t += np.exp(-((x[i] - x[j]) ** 2).sum())
    for a, b in itertools.product(x[0], x[1]):
        t += a * b
    acc = list(itertools.accumulate(x[:, 0], lambda s, v: 0.5 * s + v))
    return t + acc[-1] + functools.reduce(operator.mul, x[2])


def walrus_in_a_list(x):
    return [y := x.sum(), y**2, (z := np.exp(y / 10)) + y][-1] + z


def match_statement(x, kind="relu"):
    match kind:
        case "relu":
            a = np.maximum(x, 0)
        case _:
            a = x
    return a.sum()


def default_none(x, w=None):
    w = np.ones(x.shape[1]) if w is None else w
    return (x * w).sum()


def dict_comprehension(x):
    p = {f"W{i}": x[i] for i in range(3)}
    p = {k: v * 2 for k, v in p.items() if k != "W1"}
    p.setdefault("z", x[3])
    p.update(q=x[1])
    return sum(p[k].sum() * (i + 1) for i, k in enumerate(sorted(p)))


def default_dict(x):
    d = defaultdict(float)
    for i in range(4):
        d[i % 2] += x[i, 0]
    return d[0] * d[1]


def delay_line(x):
    h = deque([0.0, 0.0], maxlen=2)
    for v in x[:, 0]:
        h.append(0.5 * h[-1] + 0.25 * h[0] + v)
    return h[-1]


def recursion_over_halves(x):
    def tree(a):
        return a.sum() if a.shape[0] == 1 else np.tanh(tree(a[: a.shape[0] // 2])) + tree(a[a.shape[0] // 2 :])

    return tree(x)


def options_replaced(x):
    c = Cfg(lr=0.3)
    c2 = replace(c, lr=0.4)
    return x.sum() * c.lr + asdict(c2)["lr"] * x[0, 0]


def states_replaced(x):
    s = State(x[0], x[1])
    for _ in range(3):
        s = s.step(0.1)
    return (s.pos**2).sum()


def vectorized(x):
    return np.vectorize(lambda a, b: a * b + 1)(x, x**2).sum()


def along_an_axis(x):
    return np.apply_along_axis(lambda r: r / r.sum(), 1, np.exp(x))[:, 0].sum()


def by_index_tuples(x):
    t = 0
    for i, j in np.ndindex(*x.shape):
        t += (i + 1) * x[i, j] ** 2
    return t


def enumerated(x):
    t = 0
    for (i, j), v in np.ndenumerate(x):
        t += (i - j) * v
    return t


def deep_copies(x):
    y = copy.deepcopy({"a": x, "l": [x[0]]})
    y["a"][0] = 0
    y["l"][0] += 1
    return y["a"].sum() + y["l"][0].sum() * x[0, 0]


def names_imported_alone(x):
    return exp(x).sum() + log(1 + x**2).mean() + nrm(x) + la.det(x[:3]) + solve(x[:3], x[3])[0]


def seeded_inside(x):
    r = np.random.RandomState(0)
    eps = r.randn(*x.shape)
    e2 = np.random.default_rng(1).normal(size=x.shape[0])
    return ((x + eps) ** 2).sum() + x[:, 0] @ e2


def quiet_log(x):
    with np.errstate(divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.log(np.abs(x)).sum()


def exception_on_sizes(x):
    try:
        if x.shape[0] != x.shape[1]:
            raise ValueError("not square")
        return la.slogdet(x)[1]
    except ValueError as e:
        return x.sum() + len(str(e))


def enumerate_zip(x):
    return sum(i * a @ b for i, (a, b) in enumerate(zip(x, x[1:]), 1))


def reversed_rows(x):
    return sum(c * r.sum() for c, r in zip(range(4), reversed(x))) + sum(v for v in x[0][::-1])


def conditions_on_shapes(x):
    return x.sum() if all(d > 1 for d in x.shape) and any(d == 3 for d in x.shape) else 0.0


def list_of_rows(x):
    rows = []
    for r in x:
        rows.append(r / nrm(r))
    rows[0], rows[1] = rows[1], rows[0]
    rows.insert(0, x[0])
    last = rows.pop()
    rows.extend([x[1]])
    rows += [last]
    return np.array(rows)[:, 0].sum() + np.concatenate(rows)[3] + np.stack(rows, axis=1)[0, 2]


def sorted_set(x):
    idx = sorted(set(range(4)) - {1})
    return x[idx].sum() + x[list(idx)][0, 0] + x[tuple([0, 1])]


def fixed_point(x):
    i, t = 0, x[0, 0]
    while i < 5:
        t = 0.5 * (t + 2 / (1 + t**2))
        i += 1
    else:
        t += 1
    return t


def array_of_rank_0(x):
    t = np.array(0.0)
    for r in x:
        t = t + r @ r
    t -= 1
    return t.item() + t[()]


def plain_lists(x):
    return sum(sum(r) for r in x.tolist()) + x.flatten().tolist()[0]


def kernel_by_loops(x):
    n, d = x.shape
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            K[i][j] = np.exp(-(nrm(x[i] - x[j]) ** 2))
    return la.slogdet(K + 1e-3 * np.eye(n))[1]


def lists_of_lists(x):
    K = [[0.0] * 4 for _ in range(4)]
    for i in range(4):
        for j in range(4):
            K[i][j] = x[i] @ x[j]
    return np.array(K).sum() + np.linalg.norm(K)


def updates_in_containers(x):
    d = {"a": 0, "l": [0, 0]}
    for r in x:
        d["a"] += r.sum()
        d["l"][0] += r[0]
        d["l"][1] = d["l"][0] * d["a"]
    return d["l"][1]


def attributes(x):
    class P:
        pass

    p = P()
    p.x = x
    p.x = p.x * 2
    p.n = 0
    p.n += p.x.sum()
    return p.n


def ufunc_methods(x):
    return (
        np.add.reduce(x, axis=None)
        + np.multiply.outer(x[0], x[1]).sum()
        + np.maximum.reduce(x[0])
        + np.add.accumulate(x[0])[1]
        + np.subtract.outer(x[0], x[0]).max()
    )


def lists_of_numbers(x):
    return (
        np.max([x[0, 0], x[0, 1], 0.3])
        + np.sum([x[0, 0], 2.0])
        + np.mean([r.sum() for r in x])
        + max([v for v in x[0]])
        + min(x[0, 0], 0.1)
    )


def halves_by_size(x):
    n = x.shape[0]
    h = n // 2
    return x[:h].sum() - x[h:].sum() + n / 2 + n % 3 + (n - 1) ** 2


def lambdas(x):
    return (
        (lambda a, f=lambda t: t * t: f(a).sum())(x)
        + list(map(lambda r: r[0], x))[1]
        + list(filter(lambda i: i > 1, range(4)))[0]
    )


def decorated(x):
    def twice(f):
        @functools.wraps(f)
        def g(*a, **k):
            return 2 * f(*a, **k)

        return g

    @twice
    def q(a):
        return (a**2).sum()

    return q(x)


def keys_by_format(x):
    names = {f"{i}_{j}": x[i, j] for i in range(2) for j in range(2)}
    return names["0_1"] * names["1_0"]


def assertions(x):
    assert x.shape == (4, 3) and x.ndim == 2
    assert isinstance(x, np.ndarray) and x.dtype == np.float64 and np.issubdtype(x.dtype, np.floating)
    return x.sum()


def starred(x):
    (a, b), *r = x[:, :2]
    first, *mid, last = x[0]
    return a * b + first * last + r[0].sum() + sum(mid)


def swapped(x):
    a, b = 0.0, 1.0
    for v in x[:, 0]:
        a, b = b, a * v + b
    return b


def context_manager(x):
    class C:
        def __enter__(self):
            return x * 2

        def __exit__(self, *a):
            return False

    with C() as y:
        return y.sum()


def matrix_from_triangle(x):
    A = np.zeros((3, 3))
    A[np.triu_indices(3)] = x.ravel()[:6]
    A = A + A.T - np.diag(np.diag(A))
    return la.det(A)


def example(rng):
    return {"x": rng.normal(size=(4, 3))}


PROGRAMS = [
    (function, example, ["x"])
    for function in (
        inherited_layer,
        vectors_with_operators,
        nonlocal_total,
        any_arguments,
        generator_of_pairs,
        itertools_and_reduce,
        walrus_in_a_list,
        match_statement,
        default_none,
        dict_comprehension,
        default_dict,
        delay_line,
        recursion_over_halves,
        options_replaced,
        states_replaced,
        vectorized,
        along_an_axis,
        by_index_tuples,
        enumerated,
        deep_copies,
        names_imported_alone,
        seeded_inside,
        quiet_log,
        exception_on_sizes,
        enumerate_zip,
        reversed_rows,
        conditions_on_shapes,
        list_of_rows,
        sorted_set,
        fixed_point,
        array_of_rank_0,
        plain_lists,
        kernel_by_loops,
        lists_of_lists,
        updates_in_containers,
        attributes,
        ufunc_methods,
        lists_of_numbers,
        halves_by_size,
        lambdas,
        decorated,
        keys_by_format,
        assertions,
        starred,
        swapped,
        context_manager,
        matrix_from_triangle,
    )
]
