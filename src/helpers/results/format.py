"""One formatter for every number that a reader sees.

Rounding is half away from zero on the decimal digits as written (0.125 to 0.13, 2.5 to 3), the rule of SAS,
of journals and of readers; Python's own ``round`` works on binary floats and rounds halves to even.

>>> format_p(0.0114), format_p(0.00001), format_p_equation(0.0114)
('0.011', '<0.001', 'p = 0.011')
>>> format_interval(0.7, float("nan")), format_percent(0.952), format_count_percent(17, 20)
('0.70 to NE', '95%', '17 (85%)')
>>> format_p(1.2)
Traceback (most recent call last):
    ...
ValueError: p_value = 1.2 is not between 0 and 1
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

MINUS = "\N{MINUS SIGN}"
EN_DASH = "\N{EN DASH}"
NOT_ESTIMABLE = "NE"
ALPHA = 0.05  # level below which a p-value is called significant
_PLAIN = 1e15
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_number(value: float, digits: int = 2) -> str:
    """Return ``value`` with exactly ``digits`` decimals; NaN is ``NE`` and infinity a sign.

    Twelve significant digits are kept before rounding, so that 0.1 + 0.2 is 0.3 and not a little more. From
    10¹⁵ on, which only an estimate that ran away reaches, the power of ten is written.

    >>> format_number(2.345), format_number(-0.5, 0), format_number(3.6075e82)
    ('2.35', '−1', '3.61×10⁸²')
    """
    if math.isnan(value):
        return NOT_ESTIMABLE
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if abs(value) >= _PLAIN:
        mantissa, power = f"{value:.{digits}e}".split("e+")
        return f"{mantissa.replace('-', MINUS)}×10{power.lstrip('0').translate(_RAISED)}"
    exact = Decimal(f"{value:.12g}").quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    text = f"{abs(exact):f}"
    return f"{MINUS}{text}" if exact < 0 else text


def format_p(p_value: float, digits: int = 3) -> str:
    """Return a p-value with ``digits`` decimals, or ``<0.001`` below the smallest that they can show.

    Raises:
        ValueError: the value is not between 0 and 1.
    """
    if math.isnan(p_value):
        return NOT_ESTIMABLE
    if not 0 <= p_value <= 1:
        raise ValueError(f"p_value = {p_value!r} is not between 0 and 1")
    smallest = 10**-digits
    return f"<{smallest:.{digits}f}" if p_value < smallest else format_number(p_value, digits)


def format_p_equation(p_value: float, digits: int = 3) -> str:
    """Return ``p = 0.011`` or ``p < 0.001``."""
    text = format_p(p_value, digits)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def format_interval(lower: float, upper: float, digits: int = 2, suffix: str = "") -> str:
    """Return ``0.70 to 0.99``; a limit that cannot be estimated is ``NE``."""
    low, high = format_number(lower, digits), format_number(upper, digits)
    return f"{low} to {high}{suffix}"


def format_percent(share: float, digits: int = 0) -> str:
    """Return a share of 1 as a percentage: 0.952 is ``95%``."""
    return f"{format_number(100 * share, digits)}%" if not math.isnan(share) else NOT_ESTIMABLE


def format_count_percent(count: float, n: float, digits: int = 0) -> str:
    """Return ``17 (85%)``; with nobody observed ``0 of 0``."""
    if not n:
        return f"{format_number(count, 0)} of 0"
    return f"{format_number(count, 0)} ({format_percent(count / n, digits)})"
