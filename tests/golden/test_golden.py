"""The generated files, graphs and derivations of some twenty models, as committed; and they run on their own.

pytest tests/golden --update-golden      writes them anew; review the changes like code
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import graphc as gc
from graphc.ir.listing import write_listing

HERE = Path(__file__).parent
MODELS = sorted(HERE.glob("*.gc"))
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)


def texts(model: Path) -> dict[str, str]:
    """File name -> what it must hold."""
    module = gc.compile(model)
    return {
        f"{model.stem}.py": module.source,
        f"{model.stem}.listing": write_listing(module.graph) + "\n" + write_listing(module.gradient),
        f"{model.stem}.explain.txt": module.explain(),
    }


@each_model
def test_outputs_are_as_committed(model: Path, request: pytest.FixtureRequest) -> None:
    for name, text in texts(model).items():
        path = HERE / name
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.read_bytes().decode("utf-8") == text, f"{name} differs; if that is wanted: --update-golden"


def test_every_file_belongs_to_a_model() -> None:
    stems = {m.stem for m in MODELS}
    expected = {f"{s}{end}" for s in stems for end in (".gc", ".py", ".listing", ".explain.txt")} | {
        Path(__file__).name
    }
    assert {p.name for p in HERE.iterdir() if p.is_file()} == expected
    assert len(stems) >= 20


# --- standing alone ---

STANDALONE = textwrap.dedent('''
    """Import each file where graphc cannot be, and check its gradient with central differences."""
    import importlib.util, json, sys
    from pathlib import Path

    class Blocked:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in ("graphc", "scipy", "lark", "sympy", "networkx"):
                raise ImportError(f"{name} is blocked")
            return None

    sys.meta_path.insert(0, Blocked())
    try:
        import graphc
    except ImportError:
        pass
    else:
        raise SystemExit("graphc could be imported")

    import numpy as np

    SIZES = dict(n=4, d=3, h=5, k=3, m=2, t=3, v=5)

    def inputs(types):
        draw = np.random.default_rng(0)
        arrays = {}
        for name, (dtype, shape) in types.items():
            shape = tuple(eval(str(s), {}, SIZES) for s in shape)
            if dtype == "int64":
                arrays[name] = draw.integers(0, 3, shape)
            else:
                arrays[name] = draw.uniform(0.2, 1.2, shape).astype(dtype) if shape else float(draw.uniform(0.2, 1.2))
        return arrays

    def contraction(value, weights):
        values = value if type(value) is tuple else (value,)
        return sum(float(np.sum(np.asarray(v, np.float64) * w)) for v, w in zip(values, weights))

    def check(path, types):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        arrays = inputs(types)
        value, saved = module.forward(**arrays)
        values = value if type(value) is tuple else (value,)
        draw = np.random.default_rng(1)
        weights = [draw.uniform(0.5, 1.5, np.shape(v)) for v in values]
        typed = [w.astype(v.dtype) if np.ndim(v) else float(w) for v, w in zip(values, weights)]
        grads = module.backward(saved, *typed)
        if hasattr(module, "value_and_grad"):
            again, slopes = module.value_and_grad(**arrays)
            assert again == value
            for a, b in zip(slopes, module.backward(saved)):
                assert np.array_equal(a, b)
        single = any(d == "float32" for d, _ in types.values())
        step, tolerance = (1e-2, 3e-3) if single else (1e-5, 2e-9)
        checked = 0
        for name, g in grads._asdict().items():
            base = np.asarray(arrays[name])
            assert np.shape(g) == base.shape, name
            assert np.asarray(g).dtype == base.dtype, name
            numeric = np.zeros(base.shape)
            for at in np.ndindex(base.shape):
                ends = []
                for factor in (-2, -1, 1, 2):
                    moved = base.copy()
                    moved[at] += factor * step
                    point = {**arrays, name: moved if moved.ndim else float(moved)}
                    ends.append(contraction(module.forward(**point)[0], weights))
                numeric[at] = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
                checked += 1
            scale = max(1.0, float(np.max(np.abs(numeric), initial=0.0)))
            error = float(np.max(np.abs(np.asarray(g, np.float64) - numeric), initial=0.0))
            assert error <= tolerance * scale, (path.name, name, error)
        return checked

    folder, table = Path(sys.argv[1]), json.loads(sys.argv[2])
    print(json.dumps({stem: check(folder / f"{stem}.py", types) for stem, types in table.items()}))
    assert not [m for m in sys.modules if m.split(".")[0] == "graphc"]
''')


def test_files_stand_alone_and_their_gradients_are_right(tmp_path: Path) -> None:
    table = {
        m.stem: {n["name"]: (n.type.dtype, [str(d) for d in n.type.shape]) for n in gc.compile(m).graph.inputs}
        for m in MODELS
    }
    script = tmp_path / "standalone.py"
    script.write_text(STANDALONE, "utf-8")
    command = [sys.executable, "-W", "error", "-I", str(script), str(HERE), json.dumps(table)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    checked = json.loads(done.stdout)
    assert set(checked) == {m.stem for m in MODELS}
    assert min(checked.values()) >= 2
