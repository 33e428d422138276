"""Rules of cubature on the unit cube: nodes, weights, and weighted sums that vanish where the rule is exact enough."""

import itertools
from typing import NamedTuple

import numpy as np

# Kronrod's extension of Gauss's seven points on [-1, 1], outermost first: nodes, weights, and the weights of Gauss.
# Source: Piessens et al., QUADPACK (Springer 1983).
NODES = (
    0.991455371120812639206854697526329,
    0.949107912342758524526189684047851,
    0.864864423359769072789712788640926,
    0.741531185599394439863864773280788,
    0.586087235467691130294144691258935,
    0.405845151377397166906606412076961,
    0.207784955007898467600689403773245,
    0.0,
)
KRONROD = (
    0.022935322010529224963732008058970,
    0.063092092629978553290700663189204,
    0.104790010322250183839876322541518,
    0.140653259715525918745189590510238,
    0.169004726639267902826583426598550,
    0.190350578064785409913256402421014,
    0.204432940075298892414161999234649,
    0.209482141084727828012999174891714,
)
GAUSS = (
    0.0,
    0.129484966168869693270611432679082,
    0.0,
    0.279705391489276667901467771423780,
    0.0,
    0.381830050505118944950369775488975,
    0.0,
    0.417959183673469387755102040816327,
)


class Rule(NamedTuple):
    """A rule on the unit cube.

    `weights @ values` is the integral, `|checks @ values|` bounds its error, and of `axes @ values`, one for each axis,
    the largest says along which to cut. Where `sharpened` the bound is that of a rule of half the degree.
    """

    nodes: np.ndarray  # [node, dim]
    weights: np.ndarray  # [node]
    checks: np.ndarray  # [check, node]
    axes: np.ndarray  # [dim, node]
    sharpened: bool


def kronrod(dimension: int) -> Rule:
    """The product of Kronrod's rules of 15 points; each axis is checked by Gauss's rule of 7.

    Good for: up to three dimensions (3,375 points).
    """
    nodes = 0.5 + 0.5 * np.concatenate([-np.array(NODES[:-1]), NODES[::-1]])
    kronrod, gauss = (0.5 * np.concatenate([half[:-1], half[::-1]]) for half in (KRONROD, GAUSS))

    def product(weights: list[np.ndarray]) -> np.ndarray:
        return np.prod(np.stack(np.meshgrid(*weights, indexing="ij")), axis=0).ravel()

    places = np.stack(np.meshgrid(*[nodes] * dimension, indexing="ij"), -1).reshape(-1, dimension)
    checks = [
        product([kronrod - gauss if k == axis else kronrod for k in range(dimension)]) for axis in range(dimension)
    ]
    return Rule(places, product([kronrod] * dimension), np.stack(checks), np.stack(checks), True)


def genz_malik(dimension: int) -> Rule:
    """Genz and Malik's rule of degree 7, checked by the embedded one of degree 5.

    It cuts where a fourth difference is large, and has 2^dim + 2 dim² + 2 dim + 1 points.

    Good for: four to seven dimensions.

    Source: Genz & Malik, J. Comput. Appl. Math. 6 (1980) 295–302.
    """
    d, inner, outer, corner = dimension, np.sqrt(9 / 70), np.sqrt(9 / 10), np.sqrt(9 / 19)
    unit = np.eye(d)
    pairs = [
        outer * (a * unit[i] + b * unit[j])
        for i, j in itertools.combinations(range(d), 2)
        for a, b in itertools.product((1, -1), repeat=2)
    ]
    shells = (
        np.zeros((1, d)),
        inner * np.concatenate([unit, -unit]),
        outer * np.concatenate([unit, -unit]),
        np.stack(pairs),
        corner * np.array(list(itertools.product((1, -1), repeat=d))),
    )
    seven = (
        (12824 - 9120 * d + 400 * d**2) / 19683,
        980 / 6561,
        (1820 - 400 * d) / 19683,
        200 / 19683,
        6859 / 19683 / 2**d,
    )
    five = ((729 - 950 * d + 50 * d**2) / 729, 245 / 486, (265 - 100 * d) / 1458, 25 / 729, 0.0)
    sizes = [len(shell) for shell in shells]
    weights, embedded = (np.repeat(shell, sizes) for shell in (seven, five))
    axes = np.zeros((d, len(weights)))
    ratio = (inner / outer) ** 2
    axes[:, 0] = -2 + 2 * ratio
    axes[:, 1 : 1 + 2 * d] = np.tile(unit, 2)
    axes[:, 1 + 2 * d : 1 + 4 * d] = -ratio * np.tile(unit, 2)
    return Rule(0.5 + 0.5 * np.concatenate(shells), weights, (weights - embedded)[None], axes, False)
