"""Every command, in process: what it prints, where, and its exit status."""

import io
import json
import runpy
import sys
from pathlib import Path

import pytest

from graphc.cli import main
from graphc.errors import CATALOGUE, InternalError
from graphc.ops import REGISTRY
from graphc.rules import RULES

MODEL = "x: f64\nw: f64\ny = x * w + 1.0\nreturn y\n"


@pytest.fixture
def model(tmp_path, monkeypatch):
    """The name of a model in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("m.gc").write_text(MODEL)
    return "m.gc"


def run(capsys, *words):
    """Exit status, standard output, standard error."""
    status = main(list(words))
    out, err = capsys.readouterr()
    return status, out, err


def standard_input(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


# --- grad ---

FORMULAS = [
    ("1/(1+exp(-x))", ["s = sigmoid(x)", "df/dx = s * (1 - s)"]),
    ("1/(1+np.exp(-x))", ["s = sigmoid(x)", "df/dx = s * (1 - s)"]),
    ("tanh(x)", ["t = tanh(x)", "df/dx = 1 - t**2"]),
    ("x*exp(x**2)", ["e = exp(x**2)", "df/dx = e * (2 * x**2 + 1)"]),
    ("x*y", ["df/dx = y", "df/dy = x"]),
    ("-exp(-x)", ["e = exp(-x)", "df/dx = e"]),
    ("-log(p)", ["df/dp = -(1 / p)"]),
    ("-x", ["df/dx = -1"]),
    ("x/y", ["df/dx = 1 / y", "df/dy = -(x / y / y)"]),
    ("sqrt(x**2+y**2)", ["r = sqrt(x**2 + y**2)", "g = where(r == 0, 0, 1 / r)", "df/dx = g * x", "df/dy = g * y"]),
    ("loss = 3*x", ["dloss/dx = 3"]),
    ("s*sigmoid(x)", ["s2 = sigmoid(x)", "df/ds = s2", "df/dx = s * s2 * (1 - s2)"]),
]


@pytest.mark.parametrize(("text", "lines"), FORMULAS, ids=lambda v: v if isinstance(v, str) else "")
def test_grad_prints_the_formula(capsys, text, lines):
    status, out, err = run(capsys, "grad", text)
    formulas, code = out.split("\n\n", 1)
    assert (status, err, formulas.split("\n")) == (0, "", lines)
    compile(code, "code", "exec")
    assert "def backward(" in code


def test_grad_of_arrays(capsys):
    status, out, _ = run(capsys, "grad", "-sum(y*log(exp(z)/sum(exp(z))))", "--inputs", "z=n, y=n", "--wrt", "z")
    assert (status, out.split("\n")[0]) == (0, "df/dz = softmax(z) * sum(y, keepdims=True) - y")


def test_grad_with_respect_to_one(capsys):
    status, out, _ = run(capsys, "grad", "x*y", "--wrt", "y")
    assert (status, out.split("\n\n")[0]) == (0, "df/dy = x")


def test_grad_without_an_input(capsys):
    assert run(capsys, "grad", "1 + 2") == (
        2,
        "",
        "error[G031]: there is no floating-point input to differentiate by\n",
    )


# --- compile ---


def test_compile_to_standard_output_and_to_a_file(capsys, model):
    status, source, err = run(capsys, "compile", model)
    assert (status, err) == (0, "")
    assert run(capsys, "compile", model, "-o", "out.py") == (0, "", "wrote out.py\n")
    assert Path("out.py").read_text() == source
    before = Path("out.py").stat().st_mtime_ns
    assert run(capsys, "compile", model, "-o", "out.py") == (0, "", "up to date: out.py\n")
    assert Path("out.py").stat().st_mtime_ns == before
    assert run(capsys, "compile", model, "-o", "-") == (0, source, "")
    assert sorted(p.name for p in Path().iterdir()) == ["m.gc", "out.py"]
    assert runpy.run_path("out.py")["value_and_grad"](2.0, 3.0) == (7.0, (3.0, 2.0))


def test_compile_an_expression_with_types(capsys):
    status, out, _ = run(
        capsys,
        "compile",
        "-e",
        "mean((X @ w - y)**2)",
        "--inputs",
        "X=n d, w=d,y = n",
        "--wrt",
        "w",
        "--name",
        "squares",
    )
    assert status == 0
    assert "from squares. DO NOT EDIT." in out
    assert "X: (n, d) float64;  w: (d,) float64;  y: (n,) float64" in out
    assert "class Gradients(NamedTuple):\n    w: Array  # (d,)\n" in out


def test_inputs_may_have_commas_and_dtypes(capsys):
    status, out, _ = run(capsys, "compile", "-e", "X[i] * s", "--inputs", "X=n, d, i=int m, s=f64")
    assert status == 0
    assert "X: (n, d) float64;  i: (m,) int64;  s: () float64" in out


def test_compile_from_standard_input(capsys, monkeypatch, model):
    standard_input(monkeypatch, MODEL.encode())
    status, piped, _ = run(capsys, "compile", "-", "--name", "m")
    _, direct, _ = run(capsys, "compile", model)
    assert (status, piped.replace(" m.", " m.gc.").replace("of m,", "of m.gc,")) == (0, direct)


def test_standard_input_is_hostile(capsys, monkeypatch):
    standard_input(monkeypatch, b"\x80\x04\x95")
    assert run(capsys, "compile", "-") == (
        2,
        "",
        "error[G002]: <stdin> is not UTF-8 text: byte 0x80 in line 1\nhelp: save the file as UTF-8\n",
    )


# --- show ---


@pytest.mark.parametrize("view", ["listing", "tree", "dot", "mermaid"])
@pytest.mark.parametrize("stage", [None, "forward", "gradient", "simplified"])
def test_show_every_view_of_every_stage(capsys, model, view, stage):
    status, out, err = run(capsys, "show", model, "--as", view, *(["--stage", stage] if stage else []))
    assert (status, err) == (0, "")
    assert out.endswith("\n")
    assert ("dy" in out) == (stage in ("gradient", "simplified"))


def test_show_listing(capsys, model):
    assert run(capsys, "show", model) == (0, (
        'graph "m.gc" (x: f64[], w: f64[]) -> (y: y) {\n'
        "  %0: f64[] = multiply(x, w)\n"
        "  %1: f64[] = const(; value=f64[]{1.0})\n"
        "  y: f64[] = add(%0, %1)\n"
        "}\n"), "")  # fmt: skip


def test_show_code(capsys, model):
    _, compiled, _ = run(capsys, "compile", model)
    assert run(capsys, "show", model, "--as", "code") == (0, compiled, "")
    status, out, _ = run(capsys, "show", model, "--as", "code", "--stage", "simplified", "--wrt", "x")
    assert status == 0
    assert "def forward(x: float, w: float, dy: float)" in out


# --- explain ---


def test_explain_a_model(capsys):
    status, out, _ = run(capsys, "explain", "-e", "1/(1+exp(-x))")
    assert status == 0
    assert "sigmoid: 1 / (1 + exp(-x))  ->  sigmoid(x)\n     because: no overflow for large x" in out
    assert out.endswith("    dx = dout * out * (1 - out)\n")


def test_explain_one_name(capsys, model):
    status, out, _ = run(capsys, "explain", model, "dw")
    assert (status, "dx" in out, out.rstrip().endswith("dw = dy * x")) == (0, False, True)
    assert run(capsys, "explain", "-e", "x*y", "dx")[1].rstrip().endswith("dx = dout * y")


@pytest.mark.parametrize("code", CATALOGUE)
def test_explain_every_code(capsys, code):
    status, out, err = run(capsys, "explain", code)
    assert (status, err) == (0, "")
    assert out.startswith(f"{code} ({CATALOGUE[code].kind})\n\n")
    assert " ".join(out.split("\n\n", 1)[1].split()) == CATALOGUE[code].explanation
    record = json.loads(run(capsys, "explain", code, "--json")[1])
    assert record == {"code": code, "kind": CATALOGUE[code].kind, "explanation": CATALOGUE[code].explanation}


def test_explain_an_unknown_code(capsys):
    status, out, err = run(capsys, "explain", "G0221")
    assert (status, out) == (2, "")
    assert err == "error[G010]: `G0221` is not an error code\nhelp: did you mean `G022`?\n"


# --- verify ---


def test_verify_a_model_and_its_file(capsys, model):
    status, table, _ = run(capsys, "verify", model)
    assert status == 0
    assert [line.split()[0] for line in table.splitlines()] == ["input", "x", "w"]
    run(capsys, "compile", model, "-o", "out.py")
    status, again, err = run(capsys, "verify", "out.py")
    assert (status, again) == (0, table)
    assert err == "note: this runs out.py; verify files that you trust\n"
    assert sorted(p.name for p in Path().iterdir()) == ["m.gc", "out.py"]


def test_verify_finds_a_wrong_gradient(capsys, model):
    run(capsys, "compile", model, "-o", "out.py")
    source = Path("out.py").read_text()
    assert source.count("dw = dy * x") == 1
    Path("out.py").write_text(source.replace("dw = dy * x", "dw = dy * x + 1.0"))
    status, out, err = run(capsys, "verify", "out.py")
    assert (status, out) == (1, "")
    assert "error[G050]: the gradient with respect to `w` differs from its numeric estimate" in err
    status, out, _ = run(capsys, "verify", "out.py", "--json")
    record = json.loads(out)
    assert (status, record["agrees"]) == (1, False)
    assert [(row["name"], row["agrees"]) for row in record["inputs"]] == [("x", True), ("w", False)]


@pytest.mark.parametrize("text", [
    "log(p) + log(1 - p)",  # in the unit interval only
    "sqrt(x - 1)",  # above one only
    "arcsin(x)",
    "X: f64[n, d]\ni: i64[m]\nreturn sum(X[i]**2)",
    "X: f32[n, d]\nreturn mean(tanh(X))",
    "x: f64[2*n]\nreturn sum(x[:n] * x[n:])",
    "x: f64[n]\nreturn x, sum(x), x > 0",
])  # fmt: skip
def test_verify_finds_a_point(capsys, text, tmp_path):
    assert run(capsys, "verify", "-e", text)[0] == 0
    out = str(tmp_path / "out.py")
    assert run(capsys, "compile", "-e", text, "-o", out)[0] == 0
    assert run(capsys, "verify", out)[0] == 0


def test_verify_without_a_point(capsys):
    status, out, err = run(capsys, "verify", "-e", "log(x) * sqrt(-x)")
    assert (status, out) == (2, "")
    assert "no random inputs were found" in err


def test_verify_large_fixed_sizes(capsys):
    status, _, err = run(capsys, "verify", "-e", "sum(x)", "--inputs", "x=9000000000")
    assert (status, "10,000,000 elements" in err) == (2, True)


def test_verify_only_what_graphc_wrote(capsys, tmp_path):
    other = tmp_path / "other.py"
    other.write_text(f"open({str(tmp_path / 'canary')!r}, 'w')\ndef forward(x): pass\n")
    status, _, err = run(capsys, "verify", str(other))
    assert (status, (tmp_path / "canary").exists()) == (2, False)
    assert "the file is not one that graphc generated" in err


# --- tables ---


def test_ops_and_rules_list_everything(capsys):
    ops = json.loads(run(capsys, "ops", "--json")[1])
    assert [op["name"] for op in ops] == list(REGISTRY)
    assert {(op["name"], op["exactness"], op["conventions"]) for op in ops} == {
        (op.name, op.exactness, op.conventions) for op in REGISTRY.values()
    }
    rules = json.loads(run(capsys, "rules", "--json")[1])
    assert [rule["name"] for rule in rules] == list(RULES)
    assert all(rule["exact"] in ("bitwise", "rounding", "real") and rule["why"] for rule in rules)
    text = run(capsys, "ops")[1]
    assert all(f"  {op.name}(" in text and f"{op.doc} [{op.accuracy}" in text for op in REGISTRY.values())
    assert all(op.conventions in text for op in REGISTRY.values())
    text = run(capsys, "rules")[1]
    assert all(f"{name}\n    {rule}\n" in text for name, rule in RULES.items())


# --- errors ---

ERRORS = [
    (["compile"], 2, "error[G070]: SOURCE is missing"),
    ([], 2, "error[G070]: the following arguments are required: COMMAND"),
    (["comp", "m.gc"], 2, "error[G070]: argument COMMAND: invalid choice: 'comp'"),
    (["compile", "m.gc", "--tar", "c"], 2, "error[G070]: unrecognized arguments"),
    (["compile", "m.gc", "-e", "x"], 2, "error[G070]: there is a SOURCE and a -e EXPR"),
    (["compile", "nope.gc"], 1, "error[G060]: cannot read nope.gc: No such file or directory"),
    (["compile", "."], 1, "error[G060]: cannot read .: Is a directory"),
    (["compile", "a\0b"], 1, "error[G060]: cannot read a\\x00b: the path is not valid"),
    (["compile", "m.py"], 2, "error[G070]: `m.py` is a Python file"),
    (["compile", "m.py:loss"], 1, "note: this runs m.py\nerror[G060]: cannot read m.py: No such file or directory"),
    (["compile", "nowhere.m:loss"], 2, "note: this runs nowhere.m\nerror[G070]: nowhere.m does not run: Module"),
    (["compile", "math:loss"], 2, "note: this runs math\nerror[G010]: `math` has no function `loss`"),
    (["compile", "m.gc", "-o", "m.gc"], 1, "error[G060]: cannot write `m.gc`: it is the input"),
    (["compile", "m.gc", "-o", "./m.gc"], 1, "error[G060]: cannot write `m.gc`: it is the input"),
    (["compile", "m.gc", "-o", "no/o.py"], 1, "error[G060]: cannot write `no/o.py`: No such file or directory"),
    (["compile", "m.gc", "--target", "c"], 2, "error[G040]: `c` is not a target"),
    (["compile", "m.gc", "--wrt", ""], 2, "error[G070]: wrt is empty"),
    (["compile", "m.gc", "--wrt", "x,x"], 2, "error[G070]: wrt names an input twice"),
    (["compile", "m.gc", "--wrt", "q"], 2, "error[G010]: `q` is not an input"),
    (["compile", "m.gc", "--name", "a b"], 2, "error[G013]: `a b` is not a name"),
    (["compile", "-e", "x +"], 2, "error[G001]: "),
    (["compile", "-e", "x\x1b[31m"], 2, "error[G002]: "),
    (["compile", "-e", "x", "--inputs", "n d"], 2, "error[G070]: cannot read the inputs `n d`"),
    (["compile", "-e", "x", "--inputs", "x=n, x=m"], 2, "error[G070]: the input `x` is given twice"),
    (["compile", "-e", "x", "--inputs", "x="], 2, "error[G023]: input `x`: an empty text is not a shape"),
    (["show", "m.gc", "--as", "pdf"], 2, "error[G070]: argument --as: invalid choice: 'pdf'"),
    (["explain", "m.gc", "nope"], 2, "error[G010]: nothing here is called `nope`"),
    (["verify", "m.gc", "--seed", "x"], 2, "error[G070]: argument --seed: invalid int value: 'x'"),
]


@pytest.mark.parametrize(("words", "status", "message"), ERRORS, ids=[" ".join(e[0])[:40] for e in ERRORS])
def test_errors(capsys, model, words, status, message):
    got, out, err = run(capsys, *words)
    assert (got, out) == (status, "")
    assert err.startswith(message)
    assert "\x1b" not in err
    assert len(err) < 3000
    assert [p.name for p in Path().iterdir()] == ["m.gc"]
    assert Path("m.gc").read_text() == MODEL


@pytest.mark.parametrize(("error", "first"), [
    (InternalError("G090", "a plan without an end"), "error[G090]: a plan without an end"),
    (ZeroDivisionError("boom\nbang\x1b"), "error: ZeroDivisionError: boom bang\\x1b"),
    (RecursionError("deep"), "error: RecursionError: deep"),
])  # fmt: skip
def test_a_bug_has_status_3_and_one_line(capsys, monkeypatch, error, first):
    def broken(*_, **__):
        raise error

    monkeypatch.setattr("graphc.cli.compile.compile", broken)
    status, out, err = run(capsys, "compile", "-e", "x")
    assert (status, out) == (3, "")
    assert err == f"{first}\nhelp: this is a bug in graphc: please report it with the command and its input\n"


def test_help_and_version(capsys):
    assert run(capsys, "--version") == (0, "graphc 0.1.0\n", "")
    status, out, err = run(capsys, "--help")
    assert (status, err, out.startswith("usage: graphc ")) == (0, "", True)
    for name in ("compile", "grad", "show", "explain", "verify", "ops", "rules"):
        status, out, err = run(capsys, name, "--help")
        assert (status, err, out.startswith(f"usage: graphc {name} ")) == (0, "", True)
