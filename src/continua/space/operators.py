r"""Kernel ⇄ differential operator, through Taylor moments.

$$ \sum_j k_j\, u(x + j h) = \sum_\alpha M_\alpha\, \partial^\alpha u(x), \qquad
   M_\alpha = \frac{1}{\alpha!} \sum_j k_j (j h)^\alpha $$

Source: Dong, Jiang & Shen, Image restoration: wavelet frame shrinkage, nonlinear evolution PDEs, and beyond (2017);
Long, Lu, Ma & Dong, PDE-Net (ICML 2018).
"""

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from continua.core import ArgumentError, ArgumentTypeError

Powers = tuple[int, ...]

ROUND_OFF = 1e-9
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Operator(NamedTuple):
    r"""$\sum_\alpha M_\alpha\, \partial^\alpha$: `terms` from the powers of ∂ along each axis to coefficients.

    `spacing` is that of the points whose kernel it was read from, `axes` a letter for each axis.
    """

    terms: Mapping[Powers, float]
    spacing: tuple[float, ...]
    axes: str

    @property
    def leading(self) -> int:
        """The order of its lowest derivatives."""
        return min((sum(powers) for powers in self.terms), default=0)

    def order_of(self, wanted: Mapping[Powers, float]) -> tuple[int, "Operator"]:
        """With what power of the spacing it comes near the `wanted` terms, and its leading error."""
        highest = max(sum(powers) for powers in wanted)
        largest = max(abs(c) for c in wanted.values())
        h = max(self.spacing)
        error = {p: self.terms.get(p, 0.0) - wanted.get(p, 0.0) for p in {*self.terms, *wanted}}
        wrong = {p: e for p, e in error.items() if abs(e) > ROUND_OFF * largest * h ** (sum(p) - highest)}
        if not wrong:
            return max((sum(p) for p in self.terms), default=0) - highest, self._replace(terms={})
        first = min(sum(p) for p in wrong)
        return first - highest, self._replace(terms={p: e for p, e in wrong.items() if sum(p) == first})

    def formula(self, terms: int = 3, base: int | None = None) -> str:
        """The lowest derivatives and those behind them, `terms` orders in all, with h for an even spacing.

        Powers of h are counted from derivatives of order `base`, the lowest unless given.
        """
        if not self.terms:
            return "0"
        orders = sorted({sum(powers) for powers in self.terms})
        even = len(set(self.spacing)) == 1
        parts, base = [], orders[0] if base is None else base
        for order in orders[:terms]:
            named = {self._symbol(powers): c for powers, c in self.terms.items() if sum(powers) == order}
            for symbol in sorted(named):
                unit = self.spacing[0] ** (order - base) if even else 1.0
                parts.append(_term(named[symbol] / unit, symbol, order - base if even else 0))
        text = " ".join(parts).removeprefix("+ ")
        text = "−" + text.removeprefix("− ") if text.startswith("− ") else text
        return text + (" + …" if len(orders) > terms else "")

    def described(self) -> str:
        """What it is where it is no derivative: a shift of the field, and what comes beside it."""
        zero = (0,) * len(self.axes)
        whole = self.terms.get(zero, 0.0)
        firsts = [self.terms.get(tuple(int(i == k) for i in range(len(zero))), 0.0) for k in range(len(zero))]
        if not whole or not any(firsts):
            return self.formula(2)
        shift = [first / whole for first in firsts]
        rest = {p: c - whole * _shifted(shift, p) for p, c in self.terms.items()}
        floor = {p: ROUND_OFF * abs(whole) * max(self.spacing) ** sum(p) for p in rest}
        beside = self._replace(terms={p: c for p, c in rest.items() if abs(c) > floor[p]})
        words = " and ".join(
            f"{_cells(s / h)} along {letter}"
            for s, h, letter in zip(shift, self.spacing, self.axes, strict=True)
            if abs(s) > ROUND_OFF * h
        )
        times = "" if whole == 1 else f"{whole:.4g} times "
        return f"{times}a shift by {words}" + (f" plus {beside.formula(1, 0)}" if beside.terms else "")

    def _symbol(self, powers: Powers) -> str:
        return "".join(sorted(letter * n for letter, n in zip(self.axes, powers, strict=True)))


def _shifted(shift: Sequence[float], powers: Powers) -> float:
    """The moment of a shift."""
    return math.prod(s**p / math.factorial(p) for s, p in zip(shift, powers, strict=True))


def _cells(count: float) -> str:
    size = {0.5: "half a cell", 1.0: "a cell"}.get(round(abs(count), 9), f"{abs(count):.4g} cells")
    return size if count > 0 else f"{size} backward"


def _term(coefficient: float, symbol: str, width: int) -> str:
    derivative = f"∂{symbol}" if symbol else ""
    step = "" if width == 0 else "h" if width == 1 else f"h{str(width).translate(RAISED)}"
    size = abs(coefficient)
    ratio = Fraction(size).limit_denominator(5000)
    sign = "−" if coefficient < 0 else "+"
    if abs(float(ratio) - size) > 1e-9 * max(size, 1e-300):
        number = f"{size:.6g}"
        words = [number, step, derivative]
    elif ratio.denominator == 1:
        number = str(ratio.numerator) if ratio.numerator != 1 or not (step or derivative) else ""
        words = [number, step, derivative]
    elif step:
        words = [f"{'' if ratio.numerator == 1 else ratio.numerator}{step}/{ratio.denominator}", derivative]
    else:
        words = [f"{ratio.numerator}/{ratio.denominator}", derivative]
    return " ".join([sign, *(word for word in words if word)])


def image_axes(dimension: int) -> str:
    """The letters of arrays as images have them: x along a row, y from row to row."""
    return "xyzw"[:dimension][::-1]


def moments(
    offsets: Sequence[Powers], weights: np.ndarray, spacing: Sequence[float], order: int, axes: str
) -> Operator:
    """The operator of weights at offsets, up to `order` derivatives."""
    places, found = np.array(offsets, float), {}
    size = np.abs(weights).max(initial=0.0)
    for powers in itertools.product(range(order + 1), repeat=places.shape[1]):
        if sum(powers) > order:
            continue
        shares = np.prod(places ** np.array(powers), 1) * weights
        moment = math.fsum(shares) / math.prod(math.factorial(p) for p in powers)
        if abs(moment) > 1e-12 * max(np.abs(shares).max(initial=0.0), size):
            found[powers] = moment * math.prod(h**p for h, p in zip(spacing, powers, strict=True))
    return Operator(found, tuple(spacing), axes)


def operator_of(
    kernel: Any,
    *,
    origin: Sequence[int] | None = None,
    spacing: Any = 1.0,
    order: int = 8,
    axes: str | None = None,
) -> Operator:
    """The differential operator that a kernel is.

    Args:
        kernel: weights, one axis for each dimension of space; correlated with a field, as in `Stencil`.
        origin: the index of the point itself; the middle unless given.
        spacing: from point to point: one number, or one for each axis.
        order: of the highest derivatives that are looked at.
        axes: a letter for each axis; unless given, those of an image: "yx", columns being x.

    Example:
        >>> import numpy as np
        >>> print(operator_of(np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8).formula(2))
        ∂x + h²/6 ∂xxx + h²/4 ∂xyy + …
    """
    array = np.asarray(kernel, float)
    middle = np.array([size // 2 for size in array.shape] if origin is None else origin)
    offsets = [tuple(int(i) for i in np.array(place) - middle) for place in np.ndindex(array.shape)]
    widths = np.broadcast_to(np.asarray(spacing, float), array.ndim)
    return moments(offsets, array.ravel(), widths.tolist(), order, axes or image_axes(array.ndim))


def kernel_of(
    operator: str | Mapping[Powers, float] | Operator,
    *,
    order: int = 2,
    dimension: int = 2,
    spacing: Any = 1.0,
    axes: str | None = None,
) -> np.ndarray:
    """The smallest centred kernel of a differential operator.

    Args:
        operator: "laplace", "biharmonic", "dx", "dxy", "dxx + 2 dyy", "1 - 0.1 laplace"; or its terms, {(2, 0): 1.0}.
        order: of accuracy, even.
        dimension: how many axes.
        spacing: from point to point: one number, or one for each axis.
        axes: a letter for each axis; unless given, those of an image: "yx", columns being x.

    Returns:
        Weights, an odd number along each axis.

    Example:
        >>> kernel_of("laplace").tolist()
        [[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]
    """
    if order < 2 or order % 2:
        raise ArgumentError(f"`order` of a centred kernel must be 2, 4, 6, …. Got {order}.")
    widths = np.broadcast_to(np.asarray(spacing, float), dimension)
    if not (widths > 0).all():
        raise ArgumentError(f"`spacing` must be positive. Got {spacing}.")
    terms = terms_of(operator, axes or image_axes(dimension))
    parts = []
    for powers, coefficient in terms.items():
        total = np.array(coefficient)
        for power, h in zip(powers, widths, strict=True):
            total = np.multiply.outer(total, central_difference(power, order) / h**power)
        parts.append(total)
    shape = [max(part.shape[axis] for part in parts) for axis in range(dimension)]
    kernel = np.zeros(shape)
    for part in parts:
        kernel += np.pad(part, [((n - m) // 2,) * 2 for n, m in zip(shape, part.shape, strict=True)])
    return kernel


def central_difference(power: int, order: int) -> np.ndarray:
    """Weights of the derivative at unit spacing, by the moments they must have: a Vandermonde system."""
    if power == 0:
        return np.ones(1)
    side = (power + 1) // 2 - 1 + order // 2
    places = range(-side, side + 1)
    rows = [[Fraction(j) ** p for j in places] for p in range(2 * side + 1)]
    wanted = [Fraction(math.factorial(power) if p == power else 0) for p in range(2 * side + 1)]
    return np.array([float(w) for w in _solved(rows, wanted)])


def _solved(rows: list[list[Fraction]], wanted: list[Fraction]) -> list[Fraction]:
    """Gauss–Jordan elimination in fractions."""
    size = len(rows)
    system = [[*row, value] for row, value in zip(rows, wanted, strict=True)]
    for i in range(size):
        pivot = next(k for k in range(i, size) if system[k][i])
        system[i], system[pivot] = system[pivot], system[i]
        system[i] = [x / system[i][i] for x in system[i]]
        for k in range(size):
            if k != i and system[k][i]:
                system[k] = [x - system[k][i] * y for x, y in zip(system[k], system[i], strict=True)]
    return [row[-1] for row in system]


def terms_of(operator: str | Mapping[Powers, float] | Operator, axes: str) -> dict[Powers, float]:
    """The terms of an operator that is written or given."""
    dimension = len(axes)
    if isinstance(operator, Operator):
        operator = operator.terms
    if isinstance(operator, Mapping):
        terms = {tuple(int(p) for p in powers): float(c) for powers, c in operator.items()}
        if not terms or any(len(powers) != dimension or min(powers) < 0 for powers in terms):
            raise ArgumentError(f"`operator` must map {dimension} powers of ∂ to numbers. Got {operator!r}.")
        return terms
    if not isinstance(operator, str):
        raise ArgumentTypeError(f"`operator` must be written, or a mapping of powers. Got {operator!r}.")
    terms: dict[Powers, float] = {}
    text = operator.replace("−", "-").replace("*", " ").strip()
    pieces = re.findall(r"\s*([+-]?)\s*([0-9.]+(?:[eE][+-]?\d+)?)?\s*([a-z]+)?", text)
    if "".join("".join(piece) for piece in pieces) != re.sub(r"\s", "", text) or not text:
        raise ArgumentError(f'`operator` must be like "laplace", "dx" or "dxx + 2 dyy". Got {operator!r}.')
    for sign, number, word in pieces:
        if not number and not word:
            continue
        for powers, size in _word(word, axes, operator).items():
            terms[powers] = terms.get(powers, 0.0) + size * float(number or 1) * (-1 if sign == "-" else 1)
    return terms


def _word(word: str, letters: str, text: str) -> dict[Powers, float]:
    axes = range(len(letters))
    if word == "":
        return {(0,) * len(letters): 1.0}
    if word == "laplace":
        return {tuple(2 * (i == k) for i in axes): 1.0 for k in axes}
    if word == "biharmonic":
        squares: dict[Powers, float] = {}
        for j, k in itertools.product(axes, axes):
            powers = tuple(2 * (i == j) + 2 * (i == k) for i in axes)
            squares[powers] = squares.get(powers, 0.0) + 1.0
        return squares
    if word[0] != "d" or len(word) == 1 or any(letter not in letters for letter in word[1:]):
        raise ArgumentError(
            '`operator` is made of "laplace", "biharmonic", numbers, and "d" with letters of '
            f'"{letters}", such as "d{letters[-1]}". Got {word!r} in {text!r}.'
        )
    return {tuple(word[1:].count(letter) for letter in letters): 1.0}
