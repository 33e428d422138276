"""Numbers as a reader wants them: 0.48(6), 1.2(3)×10⁻⁵, a proper minus."""

import math
from decimal import ROUND_HALF_EVEN, Decimal

MINUS = "−"
SUPERSCRIPTS = str.maketrans("0123456789-−+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁺")
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
DOUBLE_PRECISION = 1e-15  # an error below this share of the value is none
LARGEST_PLAIN_EXPONENT = 4  # 12345 is plain, 123456 is 1.23456×10⁵
SMALLEST_PLAIN_EXPONENT = -3


def superscript(exponent: int) -> str:
    """A whole number in raised digits."""
    return str(exponent).translate(SUPERSCRIPTS)


def format_number(value: float, digits: int = 12) -> str:
    """A number with at most so many significant digits, and no more than it needs.

    Example:
        >>> format_number(-0.30000000000000004), format_number(6.02e23)
        ('−0.3', '6.02×10²³')
    """
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "∞" if value > 0 else MINUS + "∞"
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    shown = mantissa.replace("-", MINUS)
    if not exponent:
        return shown
    raised = "10" + superscript(int(exponent))
    return raised if shown == "1" else f"{shown}×{raised}"


def format_uncertain(value: float, error: float) -> str:
    """A value with its standard error in units of its last digit, in parentheses.

    The error has one significant digit, or two where the first is a 1. An error of 0 leaves the value alone; one that
    is not finite is shown as (?).

    Example:
        >>> format_uncertain(0.4812, 0.06), format_uncertain(1.23e-5, 3e-6), format_uncertain(3.456, 1.24)
        ('0.48(6)', '1.2(3)×10⁻⁵', '3.5(1.2)')
    """
    if not math.isfinite(value) or error == 0:
        return format_number(value, 6)
    if not math.isfinite(error) or error < 0:
        return format_number(value, 4) + "(?)"
    if error < abs(value) * DOUBLE_PRECISION:
        return format_number(value, 15)
    last = _last_place(Decimal(error))
    rounded, uncertainty = _rounded(Decimal(value), last), _rounded(Decimal(error), last)
    exponent = max(rounded.adjusted() if rounded else uncertainty.adjusted(), uncertainty.adjusted())
    if SMALLEST_PLAIN_EXPONENT <= exponent <= LARGEST_PLAIN_EXPONENT:
        return _bracketed(rounded, uncertainty)
    return f"{_bracketed(rounded.scaleb(-exponent), uncertainty.scaleb(-exponent))}×10{superscript(exponent)}"


def _last_place(error: Decimal) -> int:
    """The power of ten of the last digit that is shown."""
    place = error.adjusted()
    first = _rounded(error, place)
    if first.adjusted() > place or first.as_tuple().digits[0] == 1:  # 0.096 is 0.10, 0.012 stays
        return first.adjusted() - 1
    return place


def _rounded(value: Decimal, place: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(place), rounding=ROUND_HALF_EVEN)


def _bracketed(value: Decimal, error: Decimal) -> str:
    """0.48(6); where the error is 1 or more, its decimal point stays: 3.5(1.2)."""
    plain = f"{abs(value):f}"
    sign = MINUS if value < 0 else ""
    if error.adjusted() >= 0:
        return f"{sign}{plain}({error:f})"
    return f"{sign}{plain}({''.join(map(str, error.as_tuple().digits))})"
