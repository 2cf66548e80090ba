"""What must hold of every compiled model: its values, gradients, arrays and text.

check(program(7))      raises AssertionError with a one-line reproducer
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc.autodiff.reverse import gradient as reverse_gradient
from graphc.ir.graph import Graph
from graphc.ir.interpret import evaluate_nodes, interpret
from graphc.ir.listing import parse_listing, write_listing
from graphc.ir.node import topological
from graphc.ir.verify import verify
from graphc.ops import REGISTRY
from graphc.passes import pipeline

Arrays = Mapping[str, Any]

VALUE = {"float64": 1e-9, "float32": 2e-4, "int64": 0.0, "int32": 0.0, "bool": 0.0}
GRADIENT = {"float64": 1e-7, "float32": 2e-3}

# Everything graphc may put into a file, and nothing else.
NODES = {
    "Module",
    "Expr",
    "Constant",
    "ImportFrom",
    "Import",
    "alias",
    "Assign",
    "AnnAssign",
    "AugAssign",
    "ClassDef",
    "FunctionDef",
    "arguments",
    "arg",
    "Return",
    "Call",
    "keyword",
    "Name",
    "Load",
    "Store",
    "Attribute",
    "Subscript",
    "Slice",
    "Tuple",
    "List",
    "BinOp",
    "UnaryOp",
    "BoolOp",
    "Compare",
    "IfExp",
    "If",
    "For",
    "While",
    "Break",
    "Raise",
    "Try",
    "ExceptHandler",
    "JoinedStr",
    "FormattedValue",
    "Add",
    "Sub",
    "Mult",
    "Div",
    "FloorDiv",
    "Mod",
    "MatMult",
    "Pow",
    "USub",
    "UAdd",
    "Not",
    "Invert",
    "And",
    "Or",
    "Eq",
    "NotEq",
    "Lt",
    "LtE",
    "Gt",
    "GtE",
    "Is",
    "IsNot",
    "In",
    "NotIn",
    "BitAnd",
    "BitOr",
    "BitXor",
    "comprehension",
    "GeneratorExp",
    "ListComp",
    "Starred",
    "With",
    "withitem",
}
IMPORTS = {"numpy", "numpy.typing", "math", "typing"}


def text_holds_only(source: str) -> None:
    """The syntax tree has only kinds of nodes that graphc writes, and imports three modules."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile(source, "<generated>", "exec", dont_inherit=True)
    tree = ast.parse(source)
    for node in ast.walk(tree):
        kind = type(node).__name__
        assert kind in NODES, f"generated code has a {kind}"
        if isinstance(node, ast.Import):
            assert {a.name for a in node.names} <= IMPORTS
        if isinstance(node, ast.ImportFrom):
            assert node.module in IMPORTS and node.level == 0
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_")
    for line in source.split("\n"):
        assert len(line) <= 88 and line == line.rstrip(), line
        assert line.isascii() and line.isprintable(), line
    assert source.endswith("\n") and not source.endswith("\n\n")


def assert_near(actual: Any, expected: Any, tolerance: float, scale: float, what: str) -> None:
    """Equal up to `tolerance` relative to `scale`; nan and inf in the same places."""
    a, e = np.asarray(actual), np.asarray(expected)
    assert a.shape == e.shape, f"{what}: shape {a.shape}, expected {e.shape}"
    assert a.dtype == e.dtype or a.ndim == 0, f"{what}: dtype {a.dtype}, expected {e.dtype}"
    if not a.size:
        return
    if e.dtype.kind != "f":
        assert np.array_equal(a, e), f"{what}: {a} expected {e}"
        return
    np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance * scale, equal_nan=True, err_msg=what)


def size_of(*arrays: Any) -> float:
    """The largest finite magnitude."""
    found = [
        float(np.max(np.abs(a[np.isfinite(a)]), initial=0.0)) for a in map(np.asarray, arrays) if a.dtype.kind == "f"
    ]
    return max(found, default=0.0)


def several(value: Any) -> tuple[Any, ...]:
    return value if type(value) is tuple else (value,)


def bits(value: Any) -> list[bytes]:
    return [np.asarray(v).tobytes() for v in value]


class Case:
    """A compiled model, and the cotangents for its outputs."""

    def __init__(self, text: str, seed: int) -> None:
        self.graph = gc.parse(text)
        self.module = gc.compile(self.graph)
        self.seed = seed
        self.wrt = tuple(n["name"] for n in self.graph.inputs if n.type.is_float)
        self.floats = [i for i, o in enumerate(self.graph.outputs) if o.type.is_float]
        self.raw: Graph = reverse_gradient(self.graph, self.wrt)

    def seeds(self, values: Sequence[Any]) -> list[Any]:
        draw = np.random.default_rng([self.seed, 1])
        found = []
        for i in self.floats:
            shape = np.shape(values[i])
            ct = draw.uniform(0.5, 1.5, shape).astype(self.graph.outputs[i].type.dtype)
            found.append(np.asarray(ct) if shape else float(ct))
        return found

    def gradients(self, arrays: Arrays) -> tuple[tuple[Any, ...], Any, list[Any], Any]:
        """Values, gradients, cotangents and what was saved."""
        value, saved = self.module.forward(**arrays)
        values = several(value)
        seeds = self.seeds(values)
        return values, self.module.backward(saved, *seeds), seeds, saved

    # --- the clauses of the contract ---

    def values_and_gradients(self, arrays: Arrays) -> None:
        values, grads, seeds, _ = self.gradients(arrays)
        single = any(n.type.dtype == "float32" for n in (*self.graph.nodes, *self.graph.inputs))
        expected = interpret(self.graph, arrays)
        names = [n["name"] for n in self.raw.inputs]
        table = evaluate_nodes(self.raw, {**arrays, **dict(zip(names[len(self.graph.inputs) :], seeds, strict=True))})
        slopes = [np.asarray(table[o], o.type.dtype) for o in self.raw.outputs]
        scale = size_of(*(v for v in table.values()))
        for name, v, e, out in zip(self.graph.output_names, values, expected, self.graph.outputs, strict=True):
            tolerance = VALUE["float32" if single else out.type.dtype] if out.type.is_float else 0.0
            assert_near(v, e, tolerance, max(1.0, min(scale, 100.0)), f"value {name}")
            wanted = {"float64": float, "int64": int, "bool": bool}.get(out.type.dtype)
            if out.type.rank == 0 and wanted:
                assert type(v) is wanted, f"value {name} is a {type(v)}"
        assert grads._fields == self.wrt
        for name, g, e in zip(self.wrt, grads, slopes, strict=True):
            given = arrays[name]
            # The chain rule on the naive graph may give nan where the stable one is finite; never the reverse.
            e = np.where(np.isfinite(e), e, g) if np.isfinite(g).all() and np.shape(e) == np.shape(g) else e
            e = e.astype(given.dtype)
            assert_near(
                g, e, GRADIENT["float32" if single else "float64"], max(1.0, min(scale, 100.0)), f"gradient {name}"
            )
            assert np.shape(g) == np.shape(given)
            if np.ndim(given):
                assert isinstance(g, np.ndarray) and g.dtype == given.dtype
            elif given.dtype == np.float64:
                assert type(g) is float, type(g)
        if len(self.graph.outputs) == 1 and self.graph.outputs[0].type.rank == 0 and self.floats and self.wrt:
            value, fused = self.module.value_and_grad(**arrays)
            assert bits([value]) == bits(values)
            assert bits(fused) == bits(self.module.backward(self.module.forward(**arrays)[1]))

    def layouts(self, arrays: Arrays) -> None:
        """Inputs stay as they are; read-only, Fortran-ordered and strided ones give the same."""
        copies = {k: v.copy() for k, v in arrays.items()}
        values, grads, seeds, _ = self.gradients(copies)
        for name in arrays:
            assert copies[name].tobytes() == arrays[name].tobytes(), f"{name} was modified"
        scale = max(1.0, size_of(*values, *grads))
        single = any(n.type.dtype == "float32" for n in (*self.graph.nodes, *self.graph.inputs))
        tolerance = 1e-4 if single else 1e-12
        for change in (read_only, np.asfortranarray, strided, reversed_):
            changed = {k: change(v) if v.ndim else v for k, v in arrays.items()}
            before = {k: v.copy() for k, v in changed.items()}
            other, slopes, _, _ = self.gradients(changed)
            for a, b in zip((*values, *grads), (*other, *slopes), strict=True):
                assert_near(b, a, tolerance, scale, f"layout {change.__name__}")
            for k, v in changed.items():
                assert np.array_equal(v, before[k], equal_nan=v.dtype.kind == "f"), f"{k} was modified"
        for ct in seeds:
            if isinstance(ct, np.ndarray):
                ct.flags.writeable = False
        _, saved = self.module.forward(**arrays)
        again = self.module.backward(saved, *seeds)
        assert bits(again) == bits(grads), "read-only cotangents"

    def ownership(self, arrays: Arrays) -> None:
        """Backward may be called again; no returned array shares memory with anything else."""
        values, grads, seeds, saved = self.gradients(arrays)
        given = [v.copy() for v in arrays.values()]
        first = bits(grads)
        kept = [np.copy(v) for v in seeds]
        second = self.module.backward(saved, *seeds)
        assert bits(second) == first, "backward called twice"
        assert [np.asarray(v).tobytes() for v in seeds] == [v.tobytes() for v in kept], "a cotangent was modified"
        returned = [a for a in (*values, *grads, *second) if isinstance(a, np.ndarray)]
        for i, a in enumerate(returned):
            assert a.flags.writeable, "a returned array is read-only"
            for other in (*returned[:i], *arrays.values(), *(s for s in seeds if isinstance(s, np.ndarray))):
                assert not np.shares_memory(a, other), "returned arrays share memory"
            assert not any(np.shares_memory(a, s) for s in saved if isinstance(s, np.ndarray)), "shares with saved"
            others = bits([*returned[:i], *returned[i + 1 :]])
            a[...] = 1 if a.dtype.kind != "b" else ~a
            assert bits([*returned[:i], *returned[i + 1 :]]) == others
        assert bits(self.module.backward(saved, *seeds)) == first, "backward after results were written to"
        assert bits(arrays.values()) == bits(given)

    def text(self) -> None:
        text_holds_only(self.module.source)
        assert gc.compile(self.graph).source == self.module.source
        for graph in (self.graph, self.raw, self.module.gradient, gc.simplify(self.graph)):
            listing = write_listing(verify(graph))
            assert write_listing(parse_listing(listing, REGISTRY)) == listing
        for name in (None, *self.graph.output_names, *(f"d{n}" for n in self.wrt)):
            assert len(self.module.explain(name)) > 5
        shown = str(self.module.stats)
        assert all(f in shown for f in ("forward_ops", "backward_ops", "saved_bytes", "peak_bytes")), shown

    def passes(self, arrays: Arrays) -> None:
        """Every pass keeps the value, and so does every step."""
        joint = pipeline.join(self.graph, self.wrt)
        draw = np.random.default_rng(self.seed)
        sizes = {n["name"]: v for n, v in zip(self.graph.inputs, arrays.values(), strict=True)}
        values = several(self.module(**arrays))
        seeds = self.seeds(values)
        names = [n["name"] for n in joint.raw.inputs][len(self.graph.inputs) :]
        everything = {**sizes, **dict(zip(names, seeds, strict=True))}
        del draw
        single = any(n.type.dtype == "float32" for n in (*self.graph.nodes, *self.graph.inputs))
        for graph in (joint.stable, joint.raw, joint.graph):
            verify(graph)
        nodes = [n for s in (*joint.before, *joint.after) for n in (s.before, s.after)]
        table = evaluate_nodes(joint.raw, everything, topological(nodes))
        for step in (*joint.before, *joint.after):
            b, a = table[step.before], table[step.after]
            assert step.before.type == step.after.type, step.rule.name
            assert a.shape == b.shape, step.rule.name
            if b.dtype.kind != "f":
                assert np.array_equal(a, b), step.rule.name
                continue
            fine = np.isfinite(b)
            scale = max(1.0, min(size_of(*(table[x] for x in (*step.before.args, *step.after.args))), 1e3))
            np.testing.assert_allclose(
                a[fine],
                b[fine],
                rtol=1e-3 if single else 1e-8,
                atol=(1e-3 if single else 1e-9) * scale,
                err_msg=f"step {step.rule.name}",
            )


def read_only(array: Any) -> Any:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def strided(array: Any) -> Any:
    """Every second element of a larger array."""
    wide = np.repeat(array, 2, axis=-1)
    return wide[..., ::2]


def reversed_(array: Any) -> Any:
    return np.ascontiguousarray(array[::-1])[::-1]
