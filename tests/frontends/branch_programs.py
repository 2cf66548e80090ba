"""Branches, `while`, `break` and early `return` as people write them, for the tests of the NumPy front end.

PROGRAMS: each function with the types of its arguments, and the values that lead into its different sides.
"""

import numpy as np

X = np.array([0.4, -1.2, 0.9, 2.0, -0.3, 0.1])


# --- if ---


def logarithm_or_negative(x):
    if x.sum() > 0:  # noqa: SIM108
        y = np.log(x**2)
    else:
        y = -x
    return y.sum()


def early_return(x):
    if x.sum() > 0:
        return np.sum(x)
    z = x * 2
    if z[0] > 1:
        return z[1]
    return z[2]


def conditional_expression(x):
    return x.sum() if x[0] > 0 else np.prod(x)


def three_ways(x, a):
    if a > 0 and x[0] > 0:
        return a
    elif not a > 3 or x[1] < 0:
        return -a
    else:
        return 2 * a


def chained(a):
    if 0 < a < 1:
        b = a
    elif a >= 1:
        b = 1.0
    else:
        b = 0.0
    return b * a


def written_in_branches(x):
    h = np.zeros(6)
    if x[0] > 0:
        h[0] = x[1]
    else:
        h[1] = x[2]
        h[0] = 3.0
    return h


def only_one_side(x, a):
    y = x * a
    if a > 0:
        y = np.sin(y)
        y += 1
    return np.sum(y)


def number_is_chosen(a):
    k = 3 if a > 0 else 4
    return a * k


def falls_back(x, a):
    return (a or 2.0) * x + (a and x[0])


def alias_and_copy(x, a):
    if a > 0:
        x = x * 2
        y = x
    else:
        x = np.sin(x)
        y = x
    return np.sum(x + y)


# --- if in loops ---


def running_maximum(x):
    m = x[0]
    for v in x:
        if v > m:
            m = v
    return m


def even_and_odd(x):
    s = 0.0
    for t in range(len(x)):
        if t % 2 == 0:
            s = s + x[t]
        elif x[t] > 0:
            s = s - x[t]
    return s


def continues(x):
    s, n = 0.0, 0
    for v in x:
        if v < 0:
            continue
        s += v
        n += 1
    return s, n


def returns_from_a_call(x):
    def relu(v):
        if v > 0:
            return v
        return 0.0

    s = 0.0
    for v in x:
        s += relu(v)
    return s


class Account:
    def __init__(self):
        self.total = 0.0

    def add(self, v):
        if v > 0:
            self.total = self.total + v
            return v
        self.total = self.total - 2 * v
        return -v


def state_is_changed_on_the_way_out(x):
    account, s = Account(), 0.0
    for v in x:
        s += account.add(v)
    return s + account.add(x[0]), account.total


def memory_is_written_on_the_way_out(x):
    h = np.zeros(2)

    def put(v):
        if v > 0:
            h[0] = v
            return 1.0
        h[1] = v
        return 2.0

    return put(x[0]) * h.sum() + put(x[1]) * h[0]


def best(x):
    most, place = -np.inf, 0
    for i, v in enumerate(x):
        if v > most:
            most = v
            place = i
    return most, place


def appended_in_branches(x, a):
    out = []
    for v in x:
        if v > a:
            out.append(v)
        else:
            out.append(a * v)
    return np.stack(out)


def bisection(x):
    lo, hi = x.min(), x.max()
    for _ in range(40):
        mid = 0.5 * (lo + hi)
        if mid**3 - 0.2 > 0:
            hi = mid
        else:
            lo = mid
    return lo


# --- while ---


def halved(a):
    while a > 1:
        a = a / 2
    return a


def newton(a):
    n = 0
    while abs(a * a - 2) > 1e-9:
        a = a - (a * a - 2) / (2 * a)
        n += 1
    return a, n


def until_it_settles(x):
    error = 1.0
    while error > 1e-3:
        new = np.cos(x) * 0.5
        error = np.max(np.abs(new - x))
        x = new
    return x


def counted_by_hand(x):
    i, s = 0, 0.0
    while i < len(x):
        s += x[i] * i
        i += 1
    return s, i


def bisection_until(a):
    lo, hi = 0.0, 2.0
    while hi - lo > 1e-9:
        mid = (lo + hi) / 2
        if mid * mid > a:
            hi = mid
        else:
            lo = mid
    return lo


def collatz(k):
    steps = 0
    while k != 1:
        k = k // 2 if k % 2 == 0 else 3 * k + 1
        steps += 1
    return steps


def collatz_of_a_number(a):
    n, steps = 7, 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return a * steps


def list_of_a_while(a):
    hs = []
    while a > 0.01:
        a = a * 0.5
        hs.append(a)
    return np.sum(hs)


def backwards_while(x, a):
    i = len(x) - 1
    while i >= 0 and x[i] > a:
        i -= 1
    return i


def forwards_while(x, a):
    i = 0
    while i < len(x) and x[i] < a:
        i += 1
    return i


def few_steps(x):
    i = 0
    while i < 3:
        x = x * 2
        i += 1
    return x


# --- break and return ---


def first_above(x, a):
    for i, v in enumerate(x):  # noqa: B007
        if v > a:
            break
    else:
        v = 100.0
        i = -1
    return v, i


def returned_from_a_loop(x, a):
    for v in x:
        if v > a:
            return v * 2
    return a


def newton_with_break(a):
    for _ in range(50):
        d = (a * a - 2) / (2 * a)
        a = a - d
        if abs(d) < 1e-10:
            break
    return a


def forever(a):
    while True:
        a = a * 0.5
        if a < 0.1:
            break
    return a


def break_of_few_steps(x):
    for i in range(3):
        if x[i] > 0.5:
            break
    return i


def return_of_few_steps(x):
    for _ in range(6):
        if x.sum() > 10:
            return x
        x = x * 2
    return x


def break_inside_and_return_outside(X):
    for row in X:
        s = 0.0
        for v in row:
            if v < 0:
                break
            s += v
        if s > 1:
            return s
    return -1.0


ROWS = np.array([[0.1, -1.0, 0.5], [0.4, 0.3, -0.2], [0.9, 0.8, -0.5], [-1.0, 3.0, 0.2]])
ON_X = [{"x": X}, {"x": -X}, {"x": 5 * X}]
ON_A = [{"a": a} for a in (0.5, 2.0, -1.0, 4.0)]
ON_XA = [{"x": sign * X, "a": a} for a in (0.5, -1.5, 0.0, 4.0) for sign in (1, -1)]
ON_K = [{"k": k} for k in (1, 2, 7, 27)]
ON_ROWS = [{"X": sign * ROWS} for sign in (1, -1, 0)]
TYPES = {"x": "n", "a": (), "k": "int", "X": "n m"}
PROGRAMS = {
    logarithm_or_negative: ON_X, early_return: ON_X, conditional_expression: ON_X, three_ways: ON_XA, chained: ON_A,
    written_in_branches: ON_X, only_one_side: ON_XA, number_is_chosen: ON_A, falls_back: ON_XA, alias_and_copy: ON_XA,
    running_maximum: ON_X, even_and_odd: ON_X, continues: ON_X, returns_from_a_call: ON_X, best: ON_X,
    state_is_changed_on_the_way_out: ON_X, memory_is_written_on_the_way_out: ON_X,
    appended_in_branches: ON_XA, bisection: ON_X, halved: ON_A[:2], newton: ON_A, until_it_settles: ON_X,
    counted_by_hand: ON_X, bisection_until: ON_A[:2], collatz: ON_K, collatz_of_a_number: ON_A, list_of_a_while: ON_A,
    backwards_while: ON_XA, forwards_while: ON_XA, few_steps: ON_X, first_above: ON_XA, returned_from_a_loop: ON_XA,
    newton_with_break: ON_A, forever: ON_A, break_of_few_steps: ON_X, return_of_few_steps: ON_X,
    break_inside_and_return_outside: ON_ROWS,
}  # fmt: skip
