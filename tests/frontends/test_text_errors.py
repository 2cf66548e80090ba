"""What the user reads when a text is wrong: the whole rendering, word by word."""

import pytest

from graphc.errors import GraphcError, UnknownNameError
from graphc.expr.absent import ADVICE
from graphc.expr.functions import FUNCTIONS
from graphc.frontends.text import check_name, input_type, parse
from graphc.frontends.text.names import RESERVED_FUNCTIONS

# text, its errors as printed after the title; every hint is part of the interface
GOLDEN = [
    (
        "X: f64[n, d]\nw: f64[k]\nb: f64\n\nz = X @ w + b",
        """\
error[G021]: shapes do not match in `@`
  --> m.gc:5:5
   |
5  | z = X @ w + b
   |     ^^^^^ `X` is (n, d) and `w` is (k,)
   |
help: the last size of `X` must equal the first size of `w`; declare w: f64[d]?""",
    ),
    (
        "x: f64[n]\ny: f64[m]\nz = x + sin(y) * 1.0",
        """\
error[G021]: shapes do not match in `+`
  --> m.gc:3:5
   |
3  | z = x + sin(y) * 1.0
   |     ^^^^^^^^^^^^^^^^ `x` is (n,) and `sin(y) * 1.0` is (m,)
   |
help: if n and m are always equal, declare them with one name""",
    ),
    (
        "x: f64\ny = ssin(x)",
        """\
error[G011]: `ssin` is not a function of the language
  --> m.gc:2:5
   |
2  | y = ssin(x)
   |     ^^^^
   |
help: did you mean `sin`?""",
    ),
    (
        "weight: f64\ny = wieght + 1",
        """\
error[G010]: `wieght` is not declared
  --> m.gc:2:5
   |
2  | y = wieght + 1
   |     ^^^^^^
   |
help: did you mean `weight`?""",
    ),
    (
        "x: f64\ny = sin(x, x)",
        """\
error[G020]: `sin` takes 1 argument, and was given 2
  --> m.gc:2:5
   |
2  | y = sin(x, x)
   |     ^^^^^^^^^
   |
help: write sin(x)""",
    ),
    (
        "x: f64\ny = (x + 1\nz = 2",
        """\
error[G001]: this `(` is never closed
  --> m.gc:2:5
   |
2  | y = (x + 1
   |     ^
   |""",
    ),
    (
        "x: f64\ny = x # caf\u00e9",
        """\
error[G002]: the character U+00E9 (latin small letter e with acute) is not part of the language
  --> m.gc:2:12
   |
2  | y = x # caf\u00e9
   |            ^
   |
help: names are ASCII letters, digits and underscores; numbers use the digits 0-9""",
    ),
    (
        "def f(a, b): return a @ b\nX: f64[n, d]\ny = f(X, X)",
        """\
error[G021]: shapes do not match in `@` (called by a use of `f`)
  --> m.gc:1:21
   |
1  | def f(a, b): return a @ b
   |                     ^^^^^ `a` is (n, d) and `b` is (n, d)
   |
help: the last size of `a` must equal the first size of `b`""",
    ),
]


@pytest.mark.parametrize(("text", "shown"), GOLDEN)
def test_rendering(text, shown):
    with pytest.raises(GraphcError) as caught:
        parse(text, title="m.gc", model_file=True)
    assert str(caught.value) == shown


HINTS = [
    ("x ^ 2", "G001", "write ** for a power"),
    ("x && y", "G001", "write & between conditions"),
    ("x || y", "G001", "write | between conditions"),
    ("x <> y", "G001", "write !="),
    ("x => y", "G001", "write >="),
    ("x ? y : 1", "G001", "write where(condition, a, b)"),
    ("x if y else 1", "G040", "write where(condition, a, b)"),
    ("x and y", "G040", "write (a > 0) & (b > 0)"),
    ("x or y", "G040", "write (a > 0) | (b > 0)"),
    ("not x", "G040", "write ~(a > 0)"),
    ("x is y", "G040", "write =="),
    ("lambda: x", "G040", "write def f(a): return ... on a line above"),
    ("[i for i in x]", "G040", "work on whole arrays: sum(x, axis=0), x * y"),
    ("f'{x}'", "G040", None),
    ("'x'", "G040", "dtypes are written without quotes: float32"),
    ("{x}", "G040", None),
    ("import os", "G001", "the functions of the language are there without an import"),
    ("class A", "G001", None),
    ("x += 1", "G001", "write y = y + ..."),
    ("x; y", "G001", "write one statement a line"),
    ("x << 2", "G040", "write left_shift(x, k)"),
    ("x >> 2", "G040", "write right_shift(x, k)"),
    ("2x", "G001", "is this a number, or is a * missing?"),
    ("sin x", "G001", "write sin(x)"),
    ("x y", "G001", "is an operator missing between the two?"),
    ("x)", "G001", None),
    ("(x]", "G001", None),
    ("sin(*x)", "G040", None),
    ("y = x\ny(2)", "G040", "is a * missing?"),
    ("(x)(2)", "G040", "is a * missing?"),
    ("sin", "G010", "write sin(x)"),
    ("x.sum", "G041", "`sum` is a method: write x.sum(...)"),
    ("x.exp()", "G041", "write exp(x)"),
    ("x.real", "G041", None),
    ("np.random.rand(x)", "G041", None),
    ("np.foo(x)", "G011", None),
    ("x + inf", "G010", "nan and inf are not in the language; inputs may hold them"),
    ("sum(x, axes=0)", "G020", "did you mean `axis`?"),
    ("sum(axis=0)", "G020", None),
    ("sum(x, x=x)", "G020", None),
    ("sum(x, axis=0, axis=0)", "G001", None),
    ("sum(axis=0, x)", "G001", None),
    ("sum(x, where=x)", "G030", "compare first: where=x > 0"),
    ("sum(x, out=x)", "G040", None),
    ("sum(x, axis=2)", "G022", None),
    ("sum(x, axis=1.5)", "G022", None),
    ("sum(x, keepdims=x)", "G030", None),
    ("x[0]", "G022", None),
    ("x[x]", "G022", None),
    ("where(x, 1, 2)", "G030", None),
    ("x > 0 & y > 0", "G030", None),
    ("1 / 0 * x", "G004", None),
    ("log(-1)", "G004", None),
    ("0**-1", "G004", None),
    ("10**10**10", "G004", None),
    ("x + 1e999", "G004", None),
    ("x + 1e-999", "G004", None),
    ("03 + x", "G001", "write 3"),
    ("x, (y, 2)", "G042", None),
    ("...", "G042", None),
    ("None", "G042", None),
    ("", "G001", None),
    ("# c", "G001", None),
    ("x\ny", "G001", None),
    ("return x\ny = x", "G001", None),
    ("return x, x", "G014", None),
    ("max = x", "G012", None),
    ("_t = x", "G012", None),
    ("np = x", "G012", None),
    ("pi = x", "G012", None),
    ("y = x\ny: f64", "G010", None),
    ("def f(a): return a\nf = x", "G014", None),
    ("def f(a, a): return a", "G014", None),
    ("def sin(a): return a", "G012", None),
    ("def f(a): return f(a)\nf(x)", "G011", None),
    ("def f(a): return a\nf(x, x)", "G020", None),
    ("def f(a):\n  return a", "G001", None),
    ("def f(a: f64): return a", "G040", None),
    ("zeros(10**12)", "G003", None),
    ("zeros(-1)", "G023", None),
    ("zeros(2.5)", "G023", None),
    ("reshape(x, (2, 3))", "G021", None),
    ("concatenate(x)", "G030", "write concatenate((a, b))"),
    ("concatenate(())", "G021", None),
    ("astype(x, float16)", "G030", None),
    ("max(zeros(0))", "G021", None),
    ("1e400000", "G004", None),
]


@pytest.mark.parametrize(("text", "code", "hint"), HINTS)
def test_code_and_hint(text, code, hint):
    with pytest.raises(GraphcError) as caught:
        parse(text)
    assert caught.value.code == code, str(caught.value)
    assert caught.value.span is not None
    if hint is not None:
        assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x: f64[n]\nx: f64", "G014"),
        ("x: f64\nx = 2", "G014"),
        ("n: f64\nx: f64[n]", "G014"),
        ("x: f64[n]\nn: f64", "G014"),
        ("x: float16", "G030"),
        ("x: f64[2.5]", "G023"),
        ("x: f64[0 - 1]", "G023"),
        ("x: f64[n // 0]", "G004"),
        ("x: f64[99999999999999999999]", "G023"),
        ("x: f64[max]", "G012"),
        ("x: f64[" + "1, " * 65 + "]", "G003"),
        ("max: f64", "G012"),
        ("y = x + 1", "G010"),
        ("x: f64", "G001"),
        ("x" * 1025 + ": f64", "G003"),
        ("y = " + "9" * 401, "G003"),
        ("x: f64[n]\ny = x[:m]", "G010"),
        ("x: f64[n]\nz: f64[m]\ny = x[:m]", "G022"),
        ("x: f64\ny = x" + "[None]" * 65, "G003"),
        ("\n".join(f"x{i}: f64" for i in range(4097)), "G003"),
    ],
)
def test_model_files(text, code):
    with pytest.raises(GraphcError) as caught:
        parse(text, model_file=True)
    assert caught.value.code == code, str(caught.value)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("(n, n)", "G023"),
        ("(03,)", "G023"),
        ("", "G023"),
        ("3x4", "G023"),
        ((1.5,), "G023"),
        ((True,), "G023"),
        ((-1,), "G023"),
        (None, "G023"),
        ({}, "G023"),
        ("object[3]", "G030"),
        ("complex128", "G030"),
        ("Float64", "G030"),
        (1j, "G023"),
        ("n-", "G023"),
        ((1,) * 65, "G003"),
        ("max d", "G012"),
    ],
)
def test_input_specifications(spec, code):
    with pytest.raises(GraphcError) as caught:
        input_type("x", spec)
    assert caught.value.code == code
    assert "`x`" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("lambda", "G012"),
        ("sum", "G012"),
        ("_x", "G012"),
        ("__all__", "G012"),
        ("nan", "G012"),
        ("np", "G012"),
        ("numpy", "G012"),
        ("pi", "G012"),
        ("", "G013"),
        ("x y", "G013"),
        ("1x", "G013"),
        ("x\n", "G013"),
        ("\u0430", "G013"),
        ("x" * 1025, "G003"),
    ],
)
def test_names(name, code):
    with pytest.raises(GraphcError) as caught:
        check_name(name)
    assert caught.value.code == code


def test_names_of_functions_that_are_not_reserved() -> None:
    """A function that is no everyday word, like `trace`, leaves its name to values."""
    assert "trace" not in RESERVED_FUNCTIONS and set(FUNCTIONS) >= RESERVED_FUNCTIONS
    assert parse("trace * 2").input_names == ("trace",)
    assert parse("trace: f64[n]\ndiff = 2 * trace\nreturn sum(diff)").input_names == ("trace",)


@pytest.mark.parametrize("name", ["unique", "np.histogram", "union1d", "np.lexsort", "np.trim_zeros"])
def test_what_the_language_lacks_has_advice(name):
    with pytest.raises(UnknownNameError) as caught:
        parse(f"sum({name}(x))", {"x": "n"})
    assert caught.value.code == "G011" and caught.value.hint in ADVICE.values()


def test_what_is_there_needs_no_advice():
    known = {name.rpartition(".")[2] for name in FUNCTIONS}
    assert known.isdisjoint(ADVICE)
