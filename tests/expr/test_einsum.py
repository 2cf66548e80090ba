"""Einstein sums and products of tensors against NumPy: values, gradients, what they are compiled to."""

from __future__ import annotations

import re

import numpy as np
import pytest
from agreement import agree

import graphc as gc

RNG = np.random.default_rng(11)


def array(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


# (subscripts, shapes); `...` and implied results as NumPy has them
EINSUMS = [
    ("i->", [(4,)]),
    ("i->i", [(4,)]),
    ("ij->ji", [(2, 3)]),
    ("ba", [(2, 3)]),
    ("ii->i", [(3, 3)]),
    ("ii", [(3, 3)]),
    ("iji->j", [(3, 2, 3)]),
    ("iijj->ij", [(3, 3, 2, 2)]),
    ("iii->i", [(3, 3, 3)]),
    ("...ii->...i", [(2, 3, 3)]),
    ("ij->j", [(2, 3)]),
    ("ijk->ki", [(2, 3, 4)]),
    ("i...->...", [(2, 3, 4)]),
    ("i,i->", [(4,), (4,)]),
    ("i,j->ij", [(4,), (3,)]),
    ("i,j->ji", [(4,), (3,)]),
    ("i,i->i", [(4,), (4,)]),
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk->ki", [(2, 3), (3, 4)]),
    ("ji,jk->ik", [(3, 2), (3, 4)]),
    ("ij,kj->ik", [(2, 3), (4, 3)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ij,j", [(2, 3), (3,)]),
    ("i,ij", [(2,), (2, 3)]),
    ("ij,ij->", [(2, 3), (2, 3)]),
    ("ij,ji->", [(2, 3), (3, 2)]),
    ("ij,ij->i", [(2, 3), (2, 3)]),
    ("ij,ij->j", [(2, 3), (2, 3)]),
    ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("ij,jk->", [(2, 3), (3, 4)]),
    ("ij,k->kij", [(2, 3), (4,)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 3)]),
    ("bij,bkj->bki", [(2, 3, 4), (2, 2, 4)]),
    ("bij,bj->bi", [(2, 3, 4), (2, 4)]),
    ("bi,bij->bj", [(2, 3), (2, 3, 4)]),
    ("bi,bij,bj->b", [(2, 3), (2, 3, 4), (2, 4)]),
    ("bij,jk->bik", [(2, 3, 4), (4, 2)]),
    ("bij,kj->kib", [(2, 3, 4), (2, 4)]),
    ("ijk,jkl->il", [(2, 3, 4), (3, 4, 2)]),
    ("ijk,lkj->il", [(2, 3, 4), (2, 4, 3)]),
    ("bhqd,bhkd->bhqk", [(2, 2, 3, 2), (2, 2, 4, 2)]),
    ("bqhd,bkhd->bhqk", [(2, 3, 2, 2), (2, 4, 2, 2)]),
    ("aibj,bjck->aick", [(2, 2, 3, 2), (3, 2, 2, 2)]),
    ("...ij,...jk->...ik", [(2, 3, 4), (2, 4, 3)]),
    ("...ij,jk", [(2, 3, 4), (4, 3)]),
    ("...i,...i", [(2, 1, 3), (4, 3)]),
    ("...,...", [(2, 1), (3,)]),
    ("i...,i", [(2, 3), (2,)]),
    ("ij,jk->ik", [(2, 1), (3, 4)]),
    ("ij,ij->ij", [(1, 3), (2, 1)]),
    ("i,ij,j->", [(2,), (2, 3), (3,)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("ij,ik,il->jkl", [(2, 2), (2, 3), (2, 2)]),
    ("a,b,c,d->", [(2,), (3,), (2,), (3,)]),
    (",i->i", [(), (3,)]),
    (",", [(), ()]),
    ("->", [()]),
    ("ii,jj->", [(2, 2), (3, 3)]),
]


@pytest.mark.parametrize(("subscripts", "shapes"), EINSUMS, ids=[s for s, _ in EINSUMS])
def test_einsum(subscripts, shapes):
    arrays = {name: array(*s) for name, s in zip("ABCD", shapes, strict=False)}
    text = f'einsum("{subscripts}", {", ".join(arrays)})'
    agree(text, lambda *a: np.einsum(subscripts, *a), **arrays)


@pytest.mark.parametrize("options", ["", ", optimize=True", ", optimize='greedy'", ", optimize=False"])
def test_lists_of_axes(options):
    a, c = array(2, 3), array(3, 4)
    agree(f"einsum(A, [0, 1], B, [1, 2], [0, 2]{options})", lambda a, b: a @ b, A=a, B=c)
    agree(f"einsum(A, [7, 3], B, [3, 5]{options})", lambda a, b: (a @ b).T, A=a, B=c)
    agree(
        f"einsum(A, [..., 0], B, [0, ...]{options})", lambda a, b: np.einsum(a, [..., 0], b, [0, ...]), A=a, B=c[:, :1]
    )


def test_one_array_twice():
    x = np.array([1.0, 2.0, 3.0])
    value, gradient = gc.compile("einsum('i,i->', x, x)", {"x": "n"}).value_and_grad(x)
    assert value == 14.0
    assert gradient.x.tolist() == [2.0, 4.0, 6.0]


def test_integers_and_mixtures():
    agree("einsum('ij,jk', A, B)", lambda a, b: np.einsum("ij,jk", a, b), A=np.arange(6).reshape(2, 3), B=array(3, 2))
    agree("einsum('ij->j', A)", lambda a: np.einsum("ij->j", a), A=np.arange(6).reshape(2, 3), gradients=False)


def forward_of(text: str, inputs: dict[str, str]) -> str:
    source = gc.compile(text, inputs).source
    return source[source.index("_check(") : source.index("    return")]


# What a product of two arrays is written as.
WRITTEN = [
    ("ij,jk->ik", "n m", "m k", "A @ B"),
    ("ij,jk->ki", "n m", "m k", "B.T @ A.T"),
    ("ij,kj->ik", "n m", "k m", "A @ B.T"),
    ("ij,j->i", "n m", "m", "A @ B"),
    ("i,ij->j", "n", "n m", "A @ B"),
    ("i,i->", "n", "n", "A @ B"),
    ("i,j->ij", "n", "m", "np.outer(A, B)"),
    ("ij,ij->ij", "n m", "n m", "A * B"),
    ("ij,j->ij", "n m", "m", "A * B"),
    ("bij,bjk->bik", "b n m", "b m k", "A @ B"),
    ("bij,jk->bik", "b n m", "m k", "A @ B"),
    ("bi,bi->b", "b n", "b n", 'np.einsum("bi,bi->b", A, B)'),
]


@pytest.mark.parametrize(("subscripts", "a", "b", "wanted"), WRITTEN)
def test_a_product_of_two_is_the_usual_operation(subscripts, a, b, wanted):
    assert wanted in forward_of(f"return einsum('{subscripts}', A, B)", {"A": a, "B": b})


def test_many_arrays_are_multiplied_in_the_cheapest_order():
    """A chain that ends with a vector is a sequence of products with vectors, forwards and backwards."""
    names = "ABCDEFGH"
    text = "np.linalg.multi_dot((" + ", ".join(names) + ", x)) @ x"
    module = gc.compile(text, {**dict.fromkeys(names, "n n"), "x": "n"})
    products = [node for node in module.gradient.nodes if node.op.name == "matmul"]
    assert products and all(node.type.rank < 2 for node in products)


@pytest.mark.parametrize("count", [9, 12])
def test_more_arrays_than_are_searched(count):
    names = [f"a{i}" for i in range(count)]
    letters = "abcdefghijklmnop"
    subscripts = ",".join(letters[i : i + 2] for i in range(count)) + "->" + letters[0] + letters[count]
    arrays = {n: array(2, 2) for n in names}
    agree(
        f"einsum('{subscripts}', {', '.join(names)})",
        lambda *a: np.einsum(subscripts, *a, optimize=True),
        second=False,
        single=False,
        **arrays,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("einsum('ij,jk', A)", "for 2 arrays, and 1"),
        ("einsum('ij', A, A)", "for 1 arrays, and 2"),
        ("einsum('ijk', A)", "name 3 axes"),
        ("einsum('ij,jk', A, A)", "do not match"),
        ("einsum('ii', A)", "different sizes"),
        ("einsum('ij->ik', A)", "no array has"),
        ("einsum('ij->ii', A)", "twice"),
        ("einsum('i1', A)", "not letters"),
        ("einsum('...i->i', A)", "must have the axes of"),
        ("einsum('...ijk', A)", "more axes than"),
        ("einsum('ij->->', A)", "not letters"),
        ("einsum(A, [0, 60])", "from 0 to 51"),
        ("einsum(A, 0)", "list of integers"),
        ("einsum()", "needs"),
        ("einsum('ij', A, optimize=A)", "optimize"),
        ("einsum('ij', 'ij')", "expected an array"),
    ],
)
def test_refusals(text, message):
    with pytest.raises(gc.GraphcError, match=re.escape(message)):
        gc.compile(f"return {text}", {"A": "f64[2, 3]"})


# --- tensors ---


@pytest.mark.parametrize(
    ("axes", "shapes"),
    [
        (0, [(2, 3), (4,)]),
        (1, [(2, 3), (3, 4)]),
        (2, [(2, 3, 4), (3, 4, 2)]),
        ((0, 1), [(3, 2), (4, 3)]),
        (([0, 1], [1, 0]), [(3, 2), (2, 3, 4)]),
        (((1,), (0,)), [(3, 2), (2, 2, 3)]),
        ((-1, -1), [(2, 3), (4, 3)]),
        ([[0, 2], [0, 1]], [(2, 3, 4), (2, 4, 3)]),
    ],
)
def test_tensordot(axes, shapes):
    a, c = (array(*s) for s in shapes)
    agree(f"tensordot(a, c, {axes})", lambda a, c: np.tensordot(a, c, axes), a=a, c=c)
    agree(f"np.linalg.tensordot(a, c, axes={axes})", lambda a, c: np.tensordot(a, c, axes), a=a, c=c, second=False)


@pytest.mark.parametrize(
    "shapes", [((2,), (3,)), ((2, 2), (3, 2)), ((2, 3), (2,)), ((3,), (2, 3)), ((), (3,)), ((), ())]
)
def test_kron(shapes):
    a, c = (array(*s) for s in shapes)
    agree("kron(a, c)", np.kron, a=a, c=c)


@pytest.mark.parametrize(
    ("options", "shapes"),
    [
        ("", [(3,), (3,)]),
        ("", [(4, 3), (3,)]),
        ("", [(4, 3), (4, 3)]),
        ("", [(2, 1, 3), (4, 3)]),
        (", axis=0", [(3, 4), (3, 4)]),
        (", 0, 1, 1", [(3, 4), (4, 3)]),
        (", axisc=0", [(4, 3), (4, 3)]),
    ],
)
def test_cross(options, shapes):
    a, c = (array(*s) for s in shapes)
    agree(f"cross(a, c{options})", lambda a, c: eval(f"np.cross(a, c{options})"), a=a, c=c, named=False)


def test_cross_of_two_elements():
    a, c, d = array(4, 2), array(4, 2), array(4, 3)
    agree("cross(a, c)", lambda a, c: a[:, 0] * c[:, 1] - a[:, 1] * c[:, 0], a=a, c=c, named=False)
    agree("cross(a, d)", lambda a, d: np.cross(np.pad(a, ((0, 0), (0, 1))), d), a=a, d=d, named=False)


@pytest.mark.parametrize(
    ("text", "reference", "shapes"),
    [
        ("vecdot(a, c)", np.vecdot, [(3,), (3,)]),
        ("vecdot(a, c)", np.vecdot, [(2, 3), (2, 3)]),
        ("vecdot(a, c)", np.vecdot, [(2, 3), (3,)]),
        ("vecdot(a, c, axis=0)", lambda a, c: np.vecdot(a, c, axis=0), [(3, 2), (3, 2)]),
        ("matvec(a, c)", np.matvec, [(2, 3), (3,)]),
        ("matvec(a, c)", np.matvec, [(4, 2, 3), (4, 3)]),
        ("matvec(a, c)", np.matvec, [(2, 3), (4, 3)]),
        ("vecmat(a, c)", np.vecmat, [(2,), (2, 3)]),
        ("vecmat(a, c)", np.vecmat, [(4, 2), (4, 2, 3)]),
        ("np.linalg.outer(a, c)", np.linalg.outer, [(3,), (4,)]),
        ("np.linalg.cross(a, c)", np.linalg.cross, [(4, 3), (4, 3)]),
        ("np.linalg.vecdot(a, c)", np.linalg.vecdot, [(4, 3), (4, 3)]),
        ("np.linalg.matmul(a, c)", np.matmul, [(4, 3), (3, 2)]),
        ("inner(a, c)", np.inner, [(2, 3), (4, 3)]),
        ("inner(a, c)", np.inner, [(2, 3), (3,)]),
        ("inner(a, c)", np.inner, [(3,), (2, 3)]),
        ("inner(a, c)", np.inner, [(2, 2, 3), (4, 3)]),
        ("inner(a, c)", np.inner, [(), (4, 3)]),
        ("dot(a, c)", np.dot, [(3,), (2, 3, 4)]),
        ("dot(a, c)", np.dot, [(2, 3), (2, 3, 4)]),
        ("dot(a, c)", np.dot, [(2, 2, 3), (3,)]),
        ("dot(a, c)", np.dot, [(), (2, 3)]),
        ("dot(a, c)", np.dot, [(2, 2, 3), (2, 3, 2)]),
        ("vdot(a, c)", np.vdot, [(2, 3), (2, 3)]),
        ("vdot(a, c)", np.vdot, [(2, 3), (6,)]),
        ("vdot(a, c)", np.vdot, [(), ()]),
        ("outer(a, c)", np.outer, [(2, 2), (3,)]),
    ],
)
def test_products(text, reference, shapes):
    a, c = (array(*s) for s in shapes)
    agree(text, reference, a=a, c=c, named="vdot" not in text and "cross" not in text)


@pytest.mark.parametrize(
    "shapes", [[(2, 3), (3, 4)], [(3,), (3, 4), (4, 2)], [(2, 3), (3, 4), (4,)], [(3,), (3, 4), (4,)], [(2,), (2,)]]
)
def test_multi_dot(shapes):
    arrays = {name: array(*s) for name, s in zip("abc", shapes, strict=False)}
    agree(
        f"np.linalg.multi_dot(({', '.join(arrays)}))", lambda *x: np.linalg.multi_dot(x) if len(x) > 1 else x, **arrays
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tensordot(A, A, 1)", "do not match"),
        ("tensordot(A, A, 3)", "more than"),
        ("tensordot(A, A, ((0, 0), (0, 1)))", "pairs"),
        ("tensordot(A, A, (1, 2, 3))", "axes"),
        ("cross(A[:, :1], A[:, :1])", "2 or 3"),
        ("cross(A[0, 0], A)", "scalar"),
        ("np.linalg.multi_dot((A,))", "at least two"),
        ("np.linalg.multi_dot((A, A))", "do not match"),
        ("np.linalg.multi_dot((A, A[0], A))", "first and last"),
        ("vecdot(A, A[0, 0])", "axis"),
    ],
)
def test_refused_products(text, message):
    with pytest.raises(gc.GraphcError, match=message):
        gc.compile(f"return {text}", {"A": "f64[2, 3]"})
