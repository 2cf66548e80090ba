"""Statements are laid out as black and ruff leave them."""

from __future__ import annotations

import ast
import random
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from graphc.emit import layout, wrap
from graphc.emit.layout import WIDTH
from graphc.emit.pyexpr import print_expr

LONG = "a_long_name_made_by_user"


def lines(text: str) -> list[str]:
    return text.strip("\n").split("\n")


def test_assign_with_the_comment_beside() -> None:
    assert layout.assign("z", "X @ w", 1, "(n,)") == ["    z = X @ w  # (n,)"]


def test_assign_with_the_comment_above() -> None:
    assert layout.assign("z", f"{LONG} @ {LONG}", 1, "(n,)   loss = mean(softplus(z))") == [
        "    # (n,)   loss = mean(softplus(z))",
        f"    z = {LONG} @ {LONG}",
    ]


def test_a_comment_cannot_end_early() -> None:
    assert layout.assign("z", "x", 0, "a\nimport os") == ["z = x  # a import os"]
    assert layout.comment("a\rimport os") == ["# a import os"]


def test_assign_takes_a_tree() -> None:
    tree = ast.parse("a - (b - c)", mode="eval").body
    assert layout.assign("x", tree, 0) == ["x = a - (b - c)"]


ASSIGNED = {
    f"{LONG} + {LONG} - {LONG}": f"""
    probability = (
        {LONG} + {LONG} - {LONG}
    )
""",
    f"{LONG} * first + {LONG} * second + {LONG} * third": f"""
    probability = (
        {LONG} * first
        + {LONG} * second
        + {LONG} * third
    )
""",
    f"np.maximum({LONG}, {LONG} + {LONG})": f"""
    probability = np.maximum(
        {LONG}, {LONG} + {LONG}
    )
""",
    f"np.where({LONG} > 0.0, {LONG} * 2.0, {LONG} * 3.0)": f"""
    probability = np.where(
        {LONG} > 0.0,
        {LONG} * 2.0,
        {LONG} * 3.0,
    )
""",
    f"{LONG}[:, None] * np.exp({LONG} - {LONG})": f"""
    probability = {LONG}[:, None] * np.exp(
        {LONG} - {LONG}
    )
""",
    f"({LONG} + {LONG}) * {LONG}": f"""
    probability = (
        {LONG} + {LONG}
    ) * {LONG}
""",
    f"{LONG}[{LONG}, {LONG}]": f"""
    probability = {LONG}[
        {LONG}, {LONG}
    ]
""",
    f"{LONG} if {LONG} > 0.0 else {LONG}": f"""
    probability = (
        {LONG}
        if {LONG} > 0.0
        else {LONG}
    )
""",
    f"({LONG}, {LONG}, {LONG})": f"""
    probability = (
        {LONG},
        {LONG},
        {LONG},
    )
""",
    f"f({LONG}, {LONG} if {LONG} > 0.0 else {LONG})": f"""
    probability = f(
        {LONG},
        (
            {LONG}
            if {LONG} > 0.0
            else {LONG}
        ),
    )
""",
}


@pytest.mark.parametrize(("value", "text"), ASSIGNED.items())
def test_long_values(value: str, text: str) -> None:
    assert layout.assign("probability", value, 1) == lines(text)


def test_update_and_subscripted_target() -> None:
    assert layout.update("dz[i, y]", "-=", "dloss / n", 1) == ["    dz[i, y] -= dloss / n"]
    assert layout.assign("history[t + 1]", f"{LONG} + {LONG} + {LONG}", 0) == [
        "history[t + 1] = (",
        f"    {LONG} + {LONG} + {LONG}",
        ")",
    ]


def test_function_head() -> None:
    returns = "tuple[float, Saved]"
    assert layout.function_head("f", ["x: float"], "float") == ["def f(x: float) -> float:"]
    params = [f"{n}: Array" for n in ("X", "W1", "b1", "W2", "b2")]
    assert layout.function_head("forward", [*params, "y: IntArray"], returns) == [
        "def forward(",
        "    X: Array, W1: Array, b1: Array, W2: Array, b2: Array, y: IntArray",
        ") -> tuple[float, Saved]:",
    ]
    assert layout.function_head("forward", [f"{LONG}{i}: Array" for i in range(3)], returns) == [
        "def forward(",
        f"    {LONG}0: Array,",
        f"    {LONG}1: Array,",
        f"    {LONG}2: Array,",
        ") -> tuple[float, Saved]:",
    ]


def test_function_head_with_a_long_return() -> None:
    returns = f"tuple[{', '.join(['float'] * 14)}]"
    head = layout.function_head("forward", ["x: float", "y: float"], returns)
    assert head[:3] == ["def forward(", "    x: float, y: float", ") -> tuple["]
    assert head[3:] == ["    float,"] * 14 + ["]:"]


def test_call_statement() -> None:
    assert layout.call_statement("return", "Gradients", ["W1=dW1"], 1) == ["    return Gradients(W1=dW1)"]
    assert layout.call_statement("", "_check", ["X", "w"], 1) == ["    _check(X, w)"]
    args = [f"{LONG}{i}=d{LONG}{i}" for i in range(2)]
    assert layout.call_statement("return", "Gradients", args, 1) == [
        "    return Gradients(",
        f"        {args[0]},",
        f"        {args[1]},",
        "    )",
    ]


def test_tuple_statement() -> None:
    short = layout.tuple_statement("return", ["loss", "(X, y, z)"], 1)
    assert short == ["    return loss, (X, y, z)"]
    assert layout.tuple_statement("return", ["X"], 1) == ["    return (X,)"]
    assert layout.tuple_statement("return", [], 1) == ["    return ()"]
    saved = f"({LONG}, {LONG}2, {LONG}3)"
    assert layout.tuple_statement("return", ["loss", saved], 1) == [
        "    return loss, (",
        f"        {LONG},",
        f"        {LONG}2,",
        f"        {LONG}3,",
        "    )",
    ]


@pytest.mark.parametrize("first", ["loss", "float(np.mean((p - y) ** 2))", "(loss, (p - y).copy())", LONG])
@pytest.mark.parametrize("count", [2, 40, 88, 89, 300])
def test_long_tuples_need_no_splitter(first: str, count: int) -> None:
    """The short way for very many items gives what the splitter gives."""
    items = [f"x{i}" for i in range(count)]
    assert layout.return_pair(first, items, 1) == wrap.statement("return", f"{first}, ({', '.join(items)})", 1)
    assert layout.type_alias("Saved", items) == wrap.statement("Saved =", f"tuple[{', '.join(items)}]", 0)


def test_a_comment_stands_beside_where_it_fits() -> None:
    assert layout.beside("x = 1", "") == "x = 1"
    assert layout.beside("x = 1", "(n,)") == "x = 1  # (n,)"
    assert layout.beside("x" * 80, "long") == "x" * 80 + "  # long"
    assert layout.beside("x" * 80, "longer") is None


def test_unpack() -> None:
    assert layout.unpack(["X", "y"], "saved", 1) == ["    X, y = saved"]
    assert layout.unpack(["X"], "saved", 1) == ["    (X,) = saved"]
    assert layout.unpack([LONG, LONG + "2", LONG + "3"], "saved", 1) == [
        "    (",
        f"        {LONG},",
        f"        {LONG}2,",
        f"        {LONG}3,",
        "    ) = saved",
    ]


def test_type_alias() -> None:
    assert layout.type_alias("Saved", ["Array", "float"]) == ["Saved = tuple[Array, float]"]
    assert layout.type_alias("Saved", []) == ["Saved = tuple[()]"]
    twelve = ", ".join(["Array"] * 12)
    assert layout.type_alias("Saved", ["Array"] * 12) == ["Saved = tuple[", f"    {twelve}", "]"]
    thirteen = layout.type_alias("Saved", ["Array"] * 13)
    assert thirteen == ["Saved = tuple[", *["    Array,"] * 13, "]"]


def test_docstring() -> None:
    assert layout.docstring("Return f.", 1) == ['    """Return f."""']
    assert layout.docstring("Return f.\n\nX: (n,)\n    y: (n,)", 1) == [
        '    """Return f.',
        "",
        "    X: (n,)",
        "        y: (n,)",
        '    """',
    ]
    assert layout.docstring('say "hi"') == ['"""say "hi" """']
    assert layout.docstring('a """ b \\') == ['"""a \\"\\"\\" b \\\\"""']


def test_comment_wraps_between_words() -> None:
    wrapped = layout.comment("word " * 40, 1)
    assert [len(line) <= WIDTH for line in wrapped] == [True] * len(wrapped)
    assert " ".join(line.strip("# ") for line in wrapped) == ("word " * 40).strip()


# --- random statements ---

NAMES = ["x", "w", "z2", "a1", "W2", "dloss", "scores", "hidden_state", "attention", "total"]
OPERATORS = [ast.Add, ast.Sub, ast.Mult, ast.Mult, ast.Div, ast.MatMult, ast.Pow]


class Statements:
    """Random statements over trees as large as generated code has."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def tree(self, depth: int) -> ast.expr:
        if depth <= 0:
            name = ast.Name(self.random.choice(NAMES))
            return self.random.choice([name, name, ast.Attribute(name, "T"), ast.Constant(0.5)])
        sides = self.tree(depth - 1), self.tree(depth - 1 - self.random.randint(0, 1))
        kind = self.random.random()
        if kind < 0.6:
            return ast.BinOp(sides[0], self.random.choice(OPERATORS)(), sides[1])
        if kind < 0.65:
            return ast.UnaryOp(ast.USub(), sides[0])
        if kind < 0.9:
            called = self.random.choice(["exp", "where", "maximum"])
            function = ast.Attribute(ast.Name("np"), called)
            return ast.Call(function, list(sides[: self.random.randint(1, 2)]), [])
        function = ast.Attribute(sides[0], "sum")
        return ast.Call(function, [], [ast.keyword("axis", ast.Constant(0))])

    def statement(self, indent: int) -> list[str]:
        value = self.tree(self.random.randint(1, 4))
        names = self.random.sample(NAMES, self.random.randint(2, len(NAMES)))
        kind = self.random.randrange(6)
        if kind == 0:
            return layout.unpack(names, "saved", indent)
        if kind == 1:
            return layout.tuple_statement("return", ["loss", f"({', '.join(names)})"], indent)
        if kind == 2:
            args = [f"{name}={print_expr(self.tree(1))}" for name in names]
            return layout.call_statement("return", "Gradients", args, indent)
        if kind == 3:
            return layout.update("dz2[i, y]", "-=", value, indent)
        comment = self.random.choice(["", "(n,)   loss = mean(softplus(z))"])
        return layout.assign(names[0], value, indent, comment)


@pytest.fixture(scope="module")
def source() -> str:
    statements = Statements(seed=7)
    parts = ["def f(saved):"]
    for number in range(600):
        deep = number % 2
        parts += ["    if x:"] if deep else []
        parts += [*statements.statement(1 + deep), f"    mark({number})"]
    return "\n".join(parts) + "\n"


def test_random_statements_are_python_and_fit(source: str) -> None:
    ast.parse(source)
    assert max(map(len, source.split("\n"))) <= WIDTH
    assert source.count("\n") > 2000


def test_black_changes_nothing(source: str) -> None:
    black = pytest.importorskip("black", reason="black is not installed")
    assert black.format_str(source, mode=black.Mode()) == source


@pytest.mark.skipif(find_spec("ruff") is None and shutil.which("ruff") is None, reason="ruff is not installed")
def test_ruff_changes_nothing(source: str, tmp_path: Path) -> None:
    path = tmp_path / "samples.py"
    path.write_text(source)
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "" and done.returncode == 0


def test_a_very_long_name_is_still_python() -> None:
    name = "n" * 300
    for statement in (
        layout.assign(name, f"{name} + {name} * f({name}, {name}[{name}])", 0, "(n,)"),
        layout.unpack([name, name + "2"], "saved", 0),
        layout.tuple_statement(f"{name} =", [name, f"({name}, {name})"], 0),
        [*layout.function_head(name, [f"{name}: Array", "y: Array"], "float"), "    pass"],
    ):
        ast.parse("\n".join(statement))


# --- calls that type checkers do not know ---

AT = "np.add.at"


@pytest.mark.parametrize(
    ("args", "lines"),
    [
        (["dx", "np.s_[:, i]", "dy"], ["    np.add.at(dx, np.s_[:, i], dy)  # why"]),
        (
            ["d" * 30, "np.s_[:, positions]", "2.0 * df * part"],
            [
                "    np.add.at(",
                f"        {'d' * 30},",
                "        np.s_[:, positions],  # why",
                "        2.0 * df * part,",
                "    )",
            ],
        ),
    ],
)
def test_the_word_for_type_checkers_is_where_the_argument_begins(args, lines):
    assert layout.unchecked_call(AT, args, 1, 1, "why") == lines
