"""What each operation means: one record an op, one file a family."""

from __future__ import annotations

from graphc.ir import control, leaf
from graphc.ir.op import Op
from graphc.ops import (
    arithmetic,
    convolution,
    creation,
    cumulative,
    decompositions,
    einsum,
    elementary,
    entropies,
    exponentials,
    floats,
    fourier,
    functions,
    indexing,
    integers,
    linalg,
    norms,
    ordering,
    predicates,
    reduction,
    rolling,
    selection,
    shape,
    solving,
    special,
    triangles,
    windows,
)

FAMILIES: dict[str, list[Op]] = {
    "leaves": [leaf.INPUT, leaf.CONST, leaf.SIZE],
    "arithmetic": arithmetic.OPS,
    "functions": [*functions.OPS, *exponentials.OPS, *entropies.OPS],
    "elementary functions": elementary.OPS,
    "special functions": special.OPS,
    "selection": selection.OPS,
    "signs and questions": predicates.OPS,
    "floating-point numbers": floats.OPS,
    "whole numbers": integers.OPS,
    "reductions": reduction.OPS,
    "running totals": cumulative.OPS,
    "ordering": ordering.OPS,
    "shapes": shape.OPS,
    "products": [*linalg.OPS, *einsum.OPS],
    "norms": norms.OPS,
    "linear systems": solving.OPS,
    "decompositions": decompositions.OPS,
    "triangles": triangles.OPS,
    "convolution": convolution.OPS,
    "Fourier": fourier.OPS,
    "indexing": indexing.OPS,
    "rotations": rolling.OPS,
    "windows": windows.OPS,
    "creation": creation.OPS,
    "loops and branches": control.OPS,
}
REGISTRY: dict[str, Op] = {op.name: op for family in FAMILIES.values() for op in family}
