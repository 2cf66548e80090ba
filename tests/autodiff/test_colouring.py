"""Compression: every entry is where it is said to be, in few passes; colours as few as networkx needs."""

from __future__ import annotations

import itertools
from typing import Any

import networkx
import numpy as np
import pytest

from graphc.autodiff.colouring import Compression, colours, compressed, compressed_symmetric
from graphc.autodiff.pattern import Pattern


def pattern_of(matrix: Any) -> Pattern:
    mask = np.asarray(matrix) != 0
    return Pattern(np.concatenate([[0], np.cumsum(mask.sum(axis=1))]), np.nonzero(mask)[1], mask.shape[1])


def random_matrix(seed: int) -> np.ndarray:
    """Sparse, of any shape, some with full rows and columns."""
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 30, 2)
    found = np.where(rng.random((m, n)) < rng.choice([0.02, 0.1, 0.3]), rng.random((m, n)) + 0.5, 0.0)
    found[rng.integers(0, m, rng.integers(0, 3))] = 1.5
    found[:, rng.integers(0, n, rng.integers(0, 3))] = 2.5
    return found


def recovered(matrix: np.ndarray, found: Compression) -> np.ndarray:
    """The entries, from the products that the compression asks for."""
    tangents = (matrix @ (found.columns[:, None] == np.arange(found.tangents))).T
    pullbacks = (found.rows == np.arange(found.pullbacks)[:, None]) @ matrix
    entries: np.ndarray = np.concatenate([tangents.ravel(), pullbacks.ravel()])[found.place]
    return entries


@pytest.mark.parametrize("seed", range(60))
def test_every_entry_is_recovered(seed: int) -> None:
    matrix = random_matrix(seed)
    pattern = pattern_of(matrix)
    found = compressed(pattern)
    np.testing.assert_allclose(recovered(matrix, found), matrix[pattern.rows, pattern.columns], rtol=1e-14)
    assert found.passes <= min(matrix.shape)
    both = matrix[:, : len(matrix)] if len(matrix) <= matrix.shape[1] else matrix[: matrix.shape[1]]
    both = both + both.T
    pattern = pattern_of(both)
    assert pattern.symmetric().columns.tolist() == pattern.columns.tolist()
    found = compressed_symmetric(pattern)
    np.testing.assert_allclose(recovered(both, found), both[pattern.rows, pattern.columns], rtol=1e-14)
    assert found.pullbacks == 0 and found.passes <= len(both)


def test_only_mirrored_entries_are_symmetric() -> None:
    half = pattern_of([[1, 1, 0], [0, 1, 1], [0, 1, 0]]).symmetric()
    assert half.rows.tolist() == [0, 1, 1, 2] and half.columns.tolist() == [0, 1, 2, 1]


n = 40
ARROW = np.eye(n) + np.outer(np.eye(n)[0], np.ones(n)) + np.outer(np.ones(n), np.eye(n)[0])
# matrix -> tangents, pullbacks, and passes if it is symmetric
KNOWN: dict[str, tuple[np.ndarray, int, int, int | None]] = {
    "diagonal": (np.eye(n), 1, 0, 1),
    "tridiagonal": (np.eye(n) + np.eye(n, k=1) + np.eye(n, k=-1), 3, 0, 3),
    "pentadiagonal": (sum(np.eye(n, k=k) for k in range(-2, 3)), 5, 0, 5),  # type: ignore[dict-item]
    "arrow": (ARROW, 2, 1, 2),
    "full row": (np.eye(n) + np.outer(np.eye(n)[3], np.ones(n)), 1, 1, None),
    "full column": (np.eye(n) + np.outer(np.ones(n), np.eye(n)[3]), 2, 0, None),
    "wide": (np.ones((3, n)), 0, 3, None),
    "tall": (np.ones((n, 3)), 3, 0, None),
    "blocks of a row": (np.kron(np.eye(8), np.ones((1, 5))), 0, 1, None),
    "blocks": (np.kron(np.eye(8), np.ones((5, 5))), 5, 0, 5),
    "nothing": (np.zeros((3, 4)), 0, 0, None),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_numbers(name: str) -> None:
    matrix, tangents, pullbacks, symmetric = KNOWN[name]
    found = compressed(pattern_of(matrix))
    assert (found.tangents, found.pullbacks) == (tangents, pullbacks)
    if symmetric is not None:
        assert compressed_symmetric(pattern_of(matrix)).passes == symmetric


def test_as_few_colours_as_networkx() -> None:
    """Of the same kind of colouring, on the graph of columns that share a row, which `colours` does not make."""
    ours = theirs = 0
    for seed in range(60):
        matrix = random_matrix(seed)
        found = colours(pattern_of(matrix))
        graph: networkx.Graph[int] = networkx.Graph()
        graph.add_nodes_from(np.flatnonzero(matrix.any(axis=0)).tolist())
        for row in matrix:
            graph.add_edges_from(itertools.combinations(np.flatnonzero(row).tolist(), 2))
        assert all(found[a] != found[b] for a, b in graph.edges)
        assert (found >= 0).tolist() == matrix.any(axis=0).tolist()
        ours += found.max(initial=-1) + 1
        theirs += len(set(networkx.greedy_color(graph, strategy="largest_first").values()))
    assert ours <= theirs
