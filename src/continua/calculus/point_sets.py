"""Points that fill a cube evenly, the same in every call and however many are wanted."""

import numpy as np
from jaxtyping import Float


def even_points(count: int, dimension: int) -> Float[np.ndarray, "point axis"]:
    """Points that fill the unit cube evenly: multiples, without their whole parts, of the roots of x^(d+1) = x + 1.

    Source: Roberts, The unreasonable effectiveness of quasirandom sequences (2018).
    """
    root = 2.0
    for _ in range(64):
        root = (1 + root) ** (1 / (1 + dimension))
    return (0.5 + np.outer(np.arange(count), root ** -np.arange(1.0, dimension + 1))) % 1.0
