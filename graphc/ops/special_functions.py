"""The special functions that neither NumPy nor `math` has, as source text for the generated file.

    digamma(x)       10 steps of the recurrence, then the asymptotic series; reflected below 0
    erfcx(x)         exp(x**2) * erfc(x), with the exponential in two parts, and its series from 12
    erfinv(x)        a good guess, and two steps of Halley's method on erf or erfc
    bessel_i(x, n)   the continued fraction of I(k) / I(k - 1), backwards; from 30 Hankel's series

Sources: NIST Digital Library of Mathematical Functions, 5.5, 5.11, 5.15 (gamma), 7.12 (erfc), 10.33,
10.40 (Bessel); W. Gautschi, "Computational aspects of three-term recurrence relations" (1967).
"""

from __future__ import annotations

from graphc.ir.op import Helper

DIGAMMA = Helper(
    "_digamma",
    array='''def _digamma(x: Array) -> Array:
    """The derivative of log(gamma(x)); nan at 0, -1, -2, ..."""
    x = np.where((x <= 0.0) & (x == np.floor(x)), np.nan, x)
    t = np.where(x < 0.0, 1.0 - x, x)
    y = np.zeros_like(t)
    for k in range(10):
        y = y - 1.0 / (t + k)
    t = t + 10.0
    r = 1.0 / t**2
    s = np.zeros_like(t)
    for c in (-1 / 12, 691 / 32760, -1 / 132, 1 / 240, -1 / 252, 1 / 120, -1 / 12):
        s = (s + c) * r
    y = y + (np.log(t) - 0.5 / t + s)
    turn = np.pi * np.where(x < 0.0, x - np.rint(x), 0.25)
    z: Array = np.where(x < 0.0, y - np.pi / np.tan(turn), y)
    return z
''',
    scalar='''def _digamma(x: float) -> float:
    """The derivative of log(gamma(x)); nan at 0, -1, -2, ..."""
    if x != x or x == -math.inf or (x <= 0.0 and x == math.floor(x)):
        return math.nan
    t = 1.0 - x if x < 0.0 else x
    y = 0.0
    for k in range(10):
        y -= 1.0 / (t + k)
    t += 10.0
    r = 1.0 / t / t
    s = 0.0
    for c in (-1 / 12, 691 / 32760, -1 / 132, 1 / 240, -1 / 252, 1 / 120, -1 / 12):
        s = (s + c) * r
    y += math.log(t) - 0.5 / t + s
    return y - math.pi / math.tan(math.pi * (x - round(x))) if x < 0.0 else y
''',
)
# psi(n, x) = (-1)**(n + 1) * n! * zeta(n + 1, x).
POLYGAMMA = Helper(
    "_polygamma",
    array='''def _polygamma(x: Array, n: int) -> Array:
    """The derivative of order n >= 1 of digamma(x); nan at 0, -1, -2, ..."""
    x = np.where((x <= 0.0) & (x == np.floor(x)), np.nan, x)
    t = np.where(x < 0.0, 1.0 - x, x)
    y = np.zeros_like(t)
    for k in range(10 + n):
        y = y + 1.0 / (t + k) ** (n + 1)
    t = t + (10.0 + n)
    s = np.zeros_like(t)
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    for j, b in reversed(list(enumerate(bernoulli, 1))):
        s = s / t**2 + b * math.perm(n + 2 * j - 1, n) / (2 * j)
    tail = math.factorial(n - 1) + (math.factorial(n) / 2 + s / t) / t
    y = math.factorial(n) * y + tail * t**-n
    c = 1.0 / np.tan(np.pi * np.where(x < 0.0, x - np.rint(x), 0.25))
    p = np.poly1d([1.0, 0.0])
    for _ in range(n):
        p = np.poly1d([-1.0, 0.0, -1.0]) * p.deriv()
    z: Array = np.where(x < 0.0, -y - np.pi ** (n + 1) * p(c), y * (-1) ** (n + 1))
    z = z.astype(x.dtype)
    return z
''',
    scalar='''def _polygamma(x: float, n: int) -> float:
    """The derivative of order n >= 1 of digamma(x); nan at 0, -1, -2, ..."""
    if x != x or x == -math.inf or (x <= 0.0 and x == math.floor(x)):
        return math.nan
    t = 1.0 - x if x < 0.0 else x
    y = 0.0
    for k in range(10 + n):
        y += _inverse_power(t + k, n + 1)
    t += 10.0 + n
    s = 0.0
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    for j, b in reversed(list(enumerate(bernoulli, 1))):
        s = s / t / t + b * math.perm(n + 2 * j - 1, n) / (2 * j)
    tail = math.factorial(n - 1) + (math.factorial(n) / 2 + s / t) / t
    y = math.factorial(n) * y + tail * _inverse_power(t, n)
    if x > 0.0:
        return y if n % 2 else -y
    c = 1.0 / math.tan(math.pi * (x - round(x)))
    p = [0.0, 1.0]
    for _ in range(n):
        d = [k * a for k, a in enumerate(p)][1:]
        p = [-a - b for a, b in zip([*d, 0.0, 0.0], [0.0, 0.0, *d], strict=True)]
    value = 0.0
    for a in reversed(p):
        value = value * c + a
    return float(-y - math.pi ** (n + 1) * value)
''',
)
INVERSE_POWER = Helper(
    "_inverse_power",
    scalar='''def _inverse_power(x: float, n: int) -> float:
    """x**-n for positive x; inf where that is too large."""
    try:
        return math.pow(x, -n)
    except OverflowError:
        return math.inf
''',
)
ERFCX = Helper(
    "_erfcx",
    array='''def _erfcx(x: Array) -> Array:
    """exp(x**2) * erfc(x), without overflow for positive x."""
    x64 = np.asarray(x, dtype=np.float64)
    t = np.clip(x64, -30.0, 12.0)
    h = np.rint(16.0 * t) / 16.0
    e = np.vectorize(math.erfc, otypes=[np.float64])(t)
    near = np.exp((t - h) * (t + h)) * e * np.exp(h**2)
    u = np.maximum(x64, 12.0)
    s = np.ones_like(u)
    for k in range(12, 0, -1):
        s = 1.0 - (k - 0.5) / u / u * s
    far = s / (u * math.sqrt(math.pi))
    y: Array = np.where(x64 < 12.0, near, far).astype(np.result_type(x))
    return y
''',
    scalar='''def _erfcx(x: float) -> float:
    """exp(x**2) * erfc(x), without overflow for positive x."""
    if x < -26.6:
        return math.inf
    if x < 12.0:
        h = round(16.0 * x) / 16.0
        return math.exp((x - h) * (x + h)) * math.erfc(x) * math.exp(h**2)
    s = 1.0
    for k in range(12, 0, -1):
        s = 1.0 - (k - 0.5) / x / x * s
    return s / (x * math.sqrt(math.pi))
''',
)
# The start is S. Winitzki's, "A handy approximation for the error function and its inverse" (2008), right to 0.4 %;
# each of Halley's steps then triples the digits. Near 0 they are taken on erf(y) - p, which has all of its digits
# there, and beyond on log(erfc(y) / q), which is nearly a parabola however small q is. Only for q below 1e-308,
# where erfc has few digits left, y has no more than 6.
INVERSE_ERF = Helper(
    "_inverse_erf",
    array='''def _inverse_erf(p: Array, q: Array) -> Array:
    """The y >= 0 with erf(y) = p and erfc(y) = q = 1 - p > 0."""
    erf = np.vectorize(math.erf, otypes=[np.float64])
    erfc = np.vectorize(math.erfc, otypes=[np.float64])
    e = np.log(q * (1.0 + p))
    c = 2.0 / (0.147 * math.pi) + 0.5 * e
    y: Array = np.sqrt(np.maximum(np.sqrt(c**2 - e / 0.147) - c, 0.0))
    y = np.minimum(y, 26.0)
    for _ in range(2):
        rest, h = erfc(y), np.exp(0.5 * y**2)
        w = 0.5 * math.sqrt(math.pi) * (rest * h) * h
        near = 0.5 * math.sqrt(math.pi) * (erf(y) - p) * h * h
        step = np.where(p < 0.5, near, w * np.log(q / rest))
        y = y - step / (1.0 + step * np.where(p < 0.5, y, y - 0.5 / w))
    return y
''',
    scalar='''def _inverse_erf(p: float, q: float) -> float:
    """The y >= 0 with erf(y) = p and erfc(y) = q = 1 - p > 0."""
    e = math.log(q * (1.0 + p))
    c = 2.0 / (0.147 * math.pi) + 0.5 * e
    y = math.sqrt(max(math.sqrt(c * c - e / 0.147) - c, 0.0))
    y = min(y, 26.0)
    for _ in range(2):
        rest, h = math.erfc(y), math.exp(0.5 * y * y)
        if p < 0.5:
            step = 0.5 * math.sqrt(math.pi) * (math.erf(y) - p) * h * h
            y -= step / (1.0 + step * y)
        else:
            w = 0.5 * math.sqrt(math.pi) * (rest * h) * h
            step = w * math.log(q / rest)
            y -= step / (1.0 + step * (y - 0.5 / w))
    return y
''',
)
ERFINV = Helper(
    "_erfinv",
    array='''def _erfinv(x: Array) -> Array:
    """The inverse of erf; infinite at -1 and 1, nan beyond."""
    x64 = np.asarray(x, dtype=np.float64)
    p = np.where(np.abs(x64) < 1.0, np.abs(x64), 0.0)
    outside = np.where(np.abs(x64) == 1.0, np.inf, np.nan)
    y = np.where(np.abs(x64) < 1.0, _inverse_erf(p, 1.0 - p), outside)
    return np.copysign(y, x64).astype(np.result_type(x))
''',
    scalar='''def _erfinv(x: float) -> float:
    """The inverse of erf; infinite at -1 and 1, nan beyond."""
    if abs(x) < 1.0:
        return math.copysign(_inverse_erf(abs(x), 1.0 - abs(x)), x)
    return math.copysign(math.inf, x) if abs(x) == 1.0 else math.nan
''',
)
ERFCINV = Helper(
    "_erfcinv",
    array='''def _erfcinv(x: Array) -> Array:
    """The inverse of erfc; inf at 0, -inf at 2, nan beyond."""
    x64 = np.asarray(x, dtype=np.float64)
    q = np.minimum(x64, 2.0 - x64)
    inner = np.where(q > 0.0, q, 1.0)
    y = np.where(q > 0.0, _inverse_erf(1.0 - inner, inner), np.where(q == 0.0, np.inf, np.nan))
    return np.copysign(y, 1.0 - x64).astype(np.result_type(x))
''',
    scalar='''def _erfcinv(x: float) -> float:
    """The inverse of erfc; inf at 0, -inf at 2, nan beyond."""
    q = min(x, 2.0 - x)
    if q > 0.0:
        return math.copysign(_inverse_erf(1.0 - q, q), 1.0 - x)
    return math.copysign(math.inf, 1.0 - x) if q == 0.0 else math.nan
''',
)
# exp(-x**2 / 2) has the relative error x**2 / 2 ulp of its argument: h, whose square is exact, takes most of it.
MILLS = Helper(
    "_inverse_mills",
    array='''def _inverse_mills(x: Array) -> Array:
    """The normal density over the normal distribution function."""
    x64 = np.asarray(x, dtype=np.float64)
    t = np.clip(x64, 0.0, 40.0)
    h = np.rint(16.0 * t) / 16.0
    e = np.vectorize(math.erfc, otypes=[np.float64])(-math.sqrt(0.5) * t)
    right = np.exp(0.5 * (h - t) * (h + t)) * np.exp(-0.5 * h**2) / e
    left = 1.0 / _erfcx(-math.sqrt(0.5) * np.minimum(x64, 0.0))
    y: Array = math.sqrt(2.0 / math.pi) * np.where(x64 < 0.0, left, right)
    return y.astype(np.result_type(x))
''',
    scalar='''def _inverse_mills(x: float) -> float:
    """The normal density over the normal distribution function."""
    if x < 0.0:
        e = _erfcx(-math.sqrt(0.5) * x)
        return math.sqrt(2.0 / math.pi) / e if e > 0.0 else math.inf
    t = min(x, 40.0)
    if t != t:
        return t
    h = round(16.0 * t) / 16.0
    y = math.exp(0.5 * (h - t) * (h + t)) * math.exp(-0.5 * h**2)
    return math.sqrt(2.0 / math.pi) * (y / math.erfc(-math.sqrt(0.5) * t))
''',
)
LOG_NDTR = Helper(
    "_log_ndtr",
    array='''def _log_ndtr(x: Array) -> Array:
    """The logarithm of the normal distribution function."""
    x64 = np.asarray(x, dtype=np.float64)
    low = np.minimum(x64, 0.0)
    left = np.log(0.5 * _erfcx(-math.sqrt(0.5) * low)) - 0.5 * low**2
    t = np.clip(x64, 0.0, 40.0)
    h = np.rint(16.0 * t) / 16.0
    e = np.exp(0.5 * (h - t) * (h + t)) * np.exp(-0.5 * h**2)
    right = np.log1p(-0.5 * e * _erfcx(math.sqrt(0.5) * t))
    y: Array = np.where(x64 < 0.0, left, right).astype(np.result_type(x))
    return y
''',
    scalar='''def _log_ndtr(x: float) -> float:
    """The logarithm of the normal distribution function."""
    if x < 0.0:
        e = _erfcx(-math.sqrt(0.5) * x)
        return math.log(0.5 * e) - 0.5 * x * x if e > 0.0 else -math.inf
    t = min(x, 40.0)
    if t != t:
        return t
    h = round(16.0 * t) / 16.0
    e = math.exp(0.5 * (h - t) * (h + t)) * math.exp(-0.5 * h**2)
    return math.log1p(-0.5 * e * _erfcx(math.sqrt(0.5) * t))
''',
)
BESSEL_IE = Helper(
    "_bessel_ie",
    array='''def _bessel_ie(x: Array, n: int) -> Array:
    """exp(-|x|) times the modified Bessel function of the first kind of order n."""
    t, u = np.minimum(np.abs(x), 30.0), np.maximum(np.abs(x), 30.0)
    ratio, total, product = np.zeros_like(t), np.ones_like(t), np.ones_like(t)
    for k in range(80, 0, -1):
        ratio = t / (2.0 * k + t * ratio)
        total = 1.0 + ratio * total
        product = product * ratio if k <= n else product
    far = np.ones_like(u)
    for k in range(24, 0, -1):
        far = 1.0 - (4 * n**2 - (2 * k - 1) ** 2) / (8 * k) / u * far
    far = far / np.sqrt(2.0 * np.pi * u)
    y: Array = np.where(np.abs(x) < 30.0, product / (2.0 * total - 1.0), far)
    return y if n % 2 == 0 else np.copysign(y, x)
''',
    scalar='''def _bessel_ie(x: float, n: int) -> float:
    """exp(-|x|) times the modified Bessel function of the first kind of order n."""
    t, y = abs(x), 1.0
    if t < 30.0:
        ratio, total = 0.0, 1.0
        for k in range(80, 0, -1):
            ratio = t / (2.0 * k + t * ratio)
            total = 1.0 + ratio * total
            y = y * ratio if k <= n else y
        y /= 2.0 * total - 1.0
    else:
        for k in range(24, 0, -1):
            y = 1.0 - (4 * n**2 - (2 * k - 1) ** 2) / (8 * k) / t * y
        y /= math.sqrt(2.0 * math.pi * t)
    return y if n % 2 == 0 else math.copysign(y, x)
''',
)
BESSEL_I = Helper(
    "_bessel_i",
    array='''def _bessel_i(x: Array, n: int) -> Array:
    """The modified Bessel function of the first kind of order n."""
    t = np.clip(x, -1400.0, 1400.0)
    e = np.exp(0.5 * np.abs(t))
    y: Array = _bessel_ie(t, n) * e * e
    return y
''',
    scalar='''def _bessel_i(x: float, n: int) -> float:
    """The modified Bessel function of the first kind of order n."""
    t = min(max(x, -1400.0), 1400.0) if x == x else x
    e = math.exp(0.5 * abs(t))
    return _bessel_ie(t, n) * e * e
''',
)
