"""Butcher's order conditions by rooted trees: Σ bᵢ Φᵢ(τ) = 1/γ(τ) for every tree τ of at most p nodes.

Hairer, Nørsett & Wanner, Solving Ordinary Differential Equations I, II.2.
"""

import functools
import itertools
import math

import numpy as np

Tree = tuple  # of the subtrees at its root, sorted


@functools.cache
def trees(order: int) -> tuple[Tree, ...]:
    """All rooted trees with `order` nodes."""
    return forests(order - 1, order - 1)


@functools.cache
def forests(nodes: int, largest: int) -> tuple[Tree, ...]:
    """All multisets of trees with `nodes` nodes together, none of more than `largest`."""
    if nodes == 0:
        return ((),)
    found = []
    for size in range(1, min(nodes, largest) + 1):
        for count in range(1, nodes // size + 1):
            these = itertools.combinations_with_replacement(trees(size), count)
            rest = forests(nodes - size * count, size - 1)
            found += [one + other for one, other in itertools.product(these, rest)]
    return tuple(found)


def nodes_of(tree: Tree) -> int:
    return 1 + sum(map(nodes_of, tree))


def density(tree: Tree) -> int:
    """γ(τ)."""
    return nodes_of(tree) * math.prod(map(density, tree))


def weights(tree: Tree, a: np.ndarray) -> np.ndarray:
    """Φᵢ(τ) of all stages."""
    return math.prod((a @ weights(child, a) for child in tree), start=np.ones(len(a)))


def residuals(b: np.ndarray, a: np.ndarray, order: int, theta: float = 1.0) -> list[float]:
    """Σ bᵢ Φᵢ(τ) − θ^|τ|/γ(τ) for all trees of `order` nodes; b are the weights of the solution at θ of a step."""
    return [b @ weights(tree, a) - theta**order / density(tree) for tree in trees(order)]


def square(rows: list[list[float]]) -> np.ndarray:
    """Rows up to the diagonal as a matrix."""
    return np.array([[*row, *[0.0] * (len(rows) - len(row))] for row in rows])
