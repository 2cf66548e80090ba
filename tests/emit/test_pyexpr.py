"""Expressions are printed as the formatters print them, and mean what the tree means."""

from __future__ import annotations

import ast
import random
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from graphc.emit.pyexpr import BINARY, BOOLEAN, COMPARE, UNARIES, print_expr
from graphc.errors import InternalError

# Each line is its own expected output: it is parsed, printed, and must come back.
FIXED_POINTS = """
a - (b - c)
a - b - c
a * b * c
a * (b * c)
a / b * c
a * b % c
-(a * b)
-a * b
(-a) ** 2
-(a**2)
~(a**2)
not (a**b)
2**-x
2 ** -x[0]
2**-1.5
a**b**c
(a**b) ** c
a ** (--b)
a ** f(b) ** c
a**b ** f(c)
x[i] ** 2
f(x) ** 2
a.b**c.d
a.b[0] ** 2
np.pi**2
(1.0).real
x**2 if x > 0.0 else -x
(x**n) if x > 0.0 else f(x)
f(x) if x > 0.0 else x**n
(x**n) and f(x)
a if b else (c if d else e)
(a if b else c) if d else e
(a < b) & (c < d)
a < b < c
a < b & c
(a < b) == c
not (a and b)
not not a
a and (b and c)
a and b or c
(a or b) and c
a is not None
a not in (b, c)
--a
-~a
a + -b
a @ b.T
(a @ b).T
(a, b)[0]
x[1:3]
x[-n:]
x[n - 1 :]
x[: n - 1]
x[: -n.a]
x[a + 1 :: 2]
x[:: a.b]
x[a + 1 : b : 2]
x[1:, None]
x[::-1]
x[..., 0]
x[1:, n - 1 :, None]
x[f(a) :]
x[a**2 :]
x[(i + 1) * k : j]
x[1,]
x[1:,]
x[()]
x[[0, 2], :]
(n,)
()
[]
[a, b]
f()
f(a, axis=0, keepdims=True)
f((a, b), axis=(0, 1))
np.where(x > 0.0, x, 0.0).sum(axis=-1)
1e-05 * 1e16
1e300
"it's"
"float64"
'say "hi"'
True
a << b | c ^ d & e
a // b % c
""".strip().split("\n")


@pytest.mark.parametrize("text", FIXED_POINTS)
def test_prints_the_fewest_parentheses(text: str) -> None:
    assert print_expr(ast.parse(text, mode="eval").body) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(-2.5, "-2.5"), (-0.0, "-0.0"), (-3, "-3"), (1e16, "1e16"), (1e-5, "1e-05"), (0.1, "0.1")],
)
def test_numbers(value: float, text: str) -> None:
    assert print_expr(ast.Constant(value)) == text


def test_negative_numbers_bind_like_a_minus_sign() -> None:
    power = ast.BinOp(ast.Constant(-2.0), ast.Pow(), ast.Constant(-3))
    assert print_expr(power) == "(-2.0) ** -3"
    assert print_expr(ast.Attribute(ast.Constant(-2.0), "real")) == "(-2.0).real"


@pytest.mark.parametrize("value", [float("inf"), float("nan"), float("-inf")])
def test_inf_and_nan_have_no_text_of_their_own(value: float) -> None:
    with pytest.raises(InternalError, match="must be written as an attribute"):
        print_expr(ast.Constant(value))


def test_other_syntax_is_refused() -> None:
    with pytest.raises(InternalError, match="generated code has no Lambda"):
        print_expr(ast.parse("lambda: 0", mode="eval").body)


def test_depth_of_sixty() -> None:
    text = "-(" * 60 + "a + b" + ")" * 60
    assert ast.dump(ast.parse(print_expr(ast.parse(text, mode="eval").body))) == ast.dump(ast.parse(text))


# --- random trees ---


class Trees:
    """Random expressions, but for `2(x)`, `(2).T` and `x[(a, b) :]`: the formatters disagree."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def tree(self, depth: int) -> ast.expr:
        if depth <= 0 or self.random.random() < 0.15:
            return self.leaf()
        makers = [self.binary, self.binary, self.binary, self.sign, self.logic, self.comparison]
        makers += [self.choice, self.call, self.item, self.method]
        return self.random.choice(makers)(depth - 1)

    def some(self, depth: int, least: int, most: int) -> list[ast.expr]:
        return [self.tree(depth) for _ in range(self.random.randint(least, most))]

    def leaf(self) -> ast.expr:
        number = ast.Constant(self.random.choice([0, 2, 10, 1.5, 1e-5, 1e300, -2.5, -0.0]))
        dotted = ast.Attribute(ast.Name(self.random.choice("xyz")), "T")
        return self.random.choice([ast.Name(self.random.choice("abn")), number, dotted])

    def operand(self, depth: int) -> ast.expr:
        """A tree that can be called or subscripted."""
        tree = self.tree(depth)
        return ast.Name("f") if isinstance(tree, (ast.Constant, ast.UnaryOp)) else tree

    def binary(self, depth: int) -> ast.expr:
        op = self.random.choice(list(BINARY))()
        return ast.BinOp(self.tree(depth), op, self.tree(depth))

    def sign(self, depth: int) -> ast.expr:
        return ast.UnaryOp(self.random.choice(list(UNARIES))(), self.tree(depth))

    def logic(self, depth: int) -> ast.expr:
        return ast.BoolOp(self.random.choice(list(BOOLEAN))(), self.some(depth, 2, 3))

    def comparison(self, depth: int) -> ast.expr:
        right = self.some(depth, 1, 2)
        ops = [self.random.choice(list(COMPARE))() for _ in right]
        return ast.Compare(self.tree(depth), ops, right)

    def choice(self, depth: int) -> ast.expr:
        return ast.IfExp(self.tree(depth), self.tree(depth), self.tree(depth))

    def call(self, depth: int) -> ast.expr:
        names = ("axis", "out")[: self.random.randint(0, 2)]
        keywords = [ast.keyword(name, self.tree(depth)) for name in names]
        return ast.Call(self.operand(depth), self.some(depth, 0, 3), keywords)

    def item(self, depth: int) -> ast.expr:
        bounds = [None if isinstance(b, ast.Tuple) else b for b in self.some(depth, 3, 3)]
        used = [self.random.choice([b, None]) for b in bounds]
        index = [ast.Slice(*used), *self.some(depth, 0, 2)]
        whole = ast.Tuple(index) if self.random.random() < 0.5 else index[0]
        return ast.Subscript(self.operand(depth), whole)

    def method(self, depth: int) -> ast.expr:
        if self.random.random() < 0.3:
            return ast.Tuple(self.some(depth, 0, 3))
        return ast.Attribute(self.operand(depth), "T")


def _normal(tree: ast.AST) -> str:
    """The tree as text, negative numbers as the minus sign and the number that they parse as."""

    class Signs(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.expr:
            if repr(node.value).startswith("-") and isinstance(node.value, (int, float)):
                return ast.UnaryOp(ast.USub(), ast.Constant(-node.value))
            return node

    return ast.dump(Signs().visit(tree))


@pytest.fixture(scope="module")
def samples() -> list[tuple[ast.expr, str]]:
    trees = Trees(seed=20)
    made = [trees.tree(depth) for depth in (1, 2, 3, 4) for _ in range(200)]
    return [(tree, text) for tree in made if len(text := print_expr(tree)) < 300]


def test_random_trees_parse_back(samples: list[tuple[ast.expr, str]]) -> None:
    assert len(samples) > 600
    for tree, text in samples:
        parsed = ast.parse(text, mode="eval").body
        for node in ast.walk(parsed):
            if hasattr(node, "ctx"):
                node.ctx = ast.Load()
        assert _normal(parsed) == _normal(_loaded(tree)), text


def _loaded(tree: ast.expr) -> ast.expr:
    """The tree with the contexts that the parser would give it, for Pythons that do not default."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List)):
            node.ctx = ast.Load()
    return tree


def _source(samples: list[tuple[ast.expr, str]]) -> str:
    return "".join(f"x{i} = {text}\n" for i, (_, text) in enumerate(samples))


def test_black_changes_nothing(samples: list[tuple[ast.expr, str]]) -> None:
    black = pytest.importorskip("black", reason="black is not installed")
    source = _source(samples)
    assert black.format_str(source, mode=black.Mode(line_length=320)) == source


@pytest.mark.skipif(find_spec("ruff") is None and shutil.which("ruff") is None, reason="ruff is not installed")
def test_ruff_changes_nothing(samples: list[tuple[ast.expr, str]], tmp_path: Path) -> None:
    path = tmp_path / "samples.py"
    path.write_text(_source(samples))
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=320", "--diff"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    assert done.stdout == "" and done.returncode == 0
