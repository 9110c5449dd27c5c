"""What the cells of a column tell about it, whatever it is called."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from statistics import median

import numpy as np

from helpers.intake.lexicon import Lexicon, visit_day
from helpers.intake.values import DecimalMark, plain_date, plain_number
from helpers.vocabulary.model import Variable
from helpers.vocabulary.names import fold
from helpers.vocabulary.response_levels import known_level
from helpers.vocabulary.units import Conversion

_SAMPLE = 400
_EMPTY = frozenset({"", "na", "n/a", "nan", "null", "none", ".", "-", "--", "/", "未查", "未做", "未测"})
_RESULT = re.compile(r"^(?:[<>≤≥＜＞]=?)?\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?:[↑↓*]|\s[HL])?$")
_CERTAIN_MARGIN = 0.9
# Orders of magnitude that speak against a unit: the vocabulary names the unit kept, the other usual one, and
# then those that few laboratories print. Values of the ill are far from normal, so nearness alone misleads.
_RARENESS = (0.0, 0.1, 1.5)


@dataclass(frozen=True)
class Contents:
    """The filled cells of a column: a sample of the distinct ones, and what share of them is what.

    >>> from helpers.vocabulary.reading import shipped_vocabulary
    >>> found = Contents.of(["2023-05-03", "2023-05-04"], Lexicon(shipped_vocabulary()))
    >>> found.share(str.isdigit), found.dates, found.numbers(".")
    (0.0, 1.0, [])
    """

    cells: tuple[str, ...]
    lexicon: Lexicon

    @classmethod
    def of(cls, cells: Iterable[str], lexicon: Lexicon) -> "Contents":
        """Take the filled cells of a column."""
        return cls(tuple(cell for cell in cells if cell.casefold() not in _EMPTY), lexicon)

    @cached_property
    def distinct(self) -> tuple[str, ...]:
        """Distinct cells in the order of their first appearance, at most some hundreds."""
        return tuple(dict.fromkeys(self.cells))[:_SAMPLE]

    def share(self, test: Callable[[str], object]) -> float:
        """Share of the distinct cells that pass a test; 0 if there are none."""
        return sum(bool(test(cell)) for cell in self.distinct) / len(self.distinct) if self.distinct else 0.0

    @cached_property
    def drugs(self) -> float:
        """Share that is known drugs."""
        spelled = self.lexicon.vocabulary.drug_spellings
        return self.share(lambda cell: fold(cell) in spelled)

    @cached_property
    def terms(self) -> float:
        """Share that is known adverse events."""
        spelled = self.lexicon.vocabulary.term_spellings
        return self.share(lambda cell: fold(cell) in spelled)

    @cached_property
    def variables(self) -> float:
        """Share that is known measurements."""
        return self.share(lambda cell: self.lexicon.read((cell,)).sense("measured"))

    @cached_property
    def responses(self) -> float:
        """Share that is levels of response."""
        return self.share(known_level)

    @cached_property
    def dates(self) -> float:
        """Share that is dates; whole numbers are none."""
        return self.share(lambda cell: plain_date(cell, "dmy") or plain_date(cell, "mdy"))

    @cached_property
    def serials(self) -> float:
        """Share that is dates or serial numbers of such."""
        return self.share(lambda cell: plain_date(cell, "dmy", serials=True) or plain_date(cell, "mdy"))

    @cached_property
    def visits(self) -> float:
        """Share that names a visit."""
        return self.share(lambda cell: visit_day(cell) is not None)

    def numbers(self, decimal: DecimalMark) -> list[float]:
        """All numbers among the cells, signs of limits taken off."""
        found = (_RESULT.match(plain_number(cell, decimal)) for cell in self.cells)
        return [float(match[1]) for match in found if match]


def unit_by_values(variable: Variable, numbers: list[float], middle: float | None) -> tuple[str, bool, str]:
    """Return the unit in which numbers make sense, whether no other does, and why.

    Args:
        variable: with its accepted units and plausible range.
        numbers: values as recorded.
        middle: geometric middle of the limits of normal, in the unit kept; None if unknown.

    >>> from helpers.vocabulary.reading import shipped_vocabulary
    >>> unit_by_values(shipped_vocabulary().get("hemoglobin"), [9.8, 11.2, 12.0], 135.0)[:2]
    ('g/dL', False)
    """
    units: dict[tuple[float, float], Conversion] = {}
    for conversion in variable.units.values():
        units.setdefault((conversion.factor, conversion.offset), conversion)
    if len(units) == 1:
        unit = next(iter(units.values())).unit
        return unit, True, "it has no other"
    if not numbers:
        return variable.unit, False, "no values"
    typical = median(numbers)
    low, high = variable.plausible_low or 0.0, variable.plausible_high or np.inf
    centre = middle or (np.sqrt(max(low, 1e-3) * high) if np.isfinite(high) else 1.0)
    rated = []
    for place, conversion in enumerate(units.values()):
        converted = conversion.to_standard(np.asarray(numbers, dtype=np.float64))
        fits = float(np.mean((converted >= low) & (converted <= high)))
        away = abs(np.log10(max(typical * conversion.factor + conversion.offset, 1e-9) / centre))
        score = float(away + 4 * (1 - fits))
        rated.append((score + _RARENESS[min(place, 2)], score, conversion.unit, fits))
    rated.sort()
    _, score, unit, fits = rated[0]
    # Certain by the values alone, however rare the other units are.
    certain = fits == 1.0 and min(other[1] for other in rated[1:]) - score >= _CERTAIN_MARGIN
    return unit, certain, f"median {typical:g}; {rated[1][2]} fits less well"
