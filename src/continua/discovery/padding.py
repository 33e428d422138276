"""Arrays filled up to few lengths, so that records of similar length share their compiled programs."""

import numpy as np

LANES = 8  # segments that are solved side by side, as vector instructions hold them


def power_of_two(count: int, fewest: int) -> int:
    """How many a program is made for, so that it serves other counts too."""
    return max(fewest, 1 << max(count - 1, 0).bit_length())


def whole_lanes(count: int) -> int:
    """The same for what is solved side by side."""
    return -(-count // LANES) * LANES


def edge_padded(values: np.ndarray, count: int) -> np.ndarray:
    """The last row again, up to `count` of them."""
    return np.pad(values, [(0, count - len(values))] + [(0, 0)] * (values.ndim - 1), "edge")
