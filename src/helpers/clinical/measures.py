"""What rules need to know of a variable: its kept unit, the units accepted, whether it is a sign.

>>> ferritin = shipped_measures().get("ferritin")
>>> ferritin.kept(1.0, "mg/L"), ferritin.spellings("ng/mL"), ferritin.accepted()
(1000.0, ('ng/ml', 'ug/l'), 'ng/mL, ug/L, ug/dL, mg/L, pmol/L')
>>> shipped_measures().nearest("feritin"), shipped_measures().get("shoe size") is None
('ferritin', True)
>>> shipped_measures().with_derived(run=Derived("d", "treatments")).get("run").unit
'd'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from helpers.clinical.derived import DERIVED, Derived
from helpers.problems import closest
from helpers.vocabulary.model import Variable
from helpers.vocabulary.names import normalise_unit
from helpers.vocabulary.reading import shipped_vocabulary
from helpers.vocabulary.vocabulary import Vocabulary


@dataclass(frozen=True)
class Measure:
    """A variable as rules see it: the unit it is kept in ("1" for a sign) and the units it is accepted in."""

    name: str
    unit: str
    sign: bool
    variable: Variable | None = None

    def kept(self, value: float, unit: str) -> float | None:
        """Return a number given in `unit` in the unit the variable is kept in; None if not accepted."""
        if self.variable is None:
            return value if normalise_unit(unit) == normalise_unit(self.unit) else None
        conversion = self.variable.conversion(unit)
        return None if conversion is None else float(conversion.to_standard(np.array([value]))[0])

    def spellings(self, unit: str) -> tuple[str, ...]:
        """Return every spelling (normalised) of the same unit: ug/L and ng/mL of ferritin are one."""
        if self.variable is None:
            return (normalise_unit(unit),)
        own = self.variable.conversion(unit)
        same = None if own is None else (own.factor, own.offset)
        return tuple(
            sorted(name for name, one in self.variable.units.items() if (one.factor, one.offset) == same)
        )

    def accepted(self) -> str:
        """Return the accepted units in words."""
        return self.unit if self.variable is None else self.variable.accepted_units()


@dataclass(frozen=True)
class Measures:
    """Every variable that a rule may name: the vocabulary's, and those worked out from them."""

    vocabulary: Vocabulary
    derived: Mapping[str, Derived] = field(default_factory=lambda: DERIVED)

    def get(self, name: str) -> Measure | None:
        """Return a variable by its name; None if there is none that a rule could compare."""
        variable = self.vocabulary.get(name)
        if variable is not None and variable.type in ("number", "yes_no"):
            sign = variable.type == "yes_no"
            return Measure(name, "1" if sign else variable.unit, sign, None if sign else variable)
        if name in self.derived:
            return Measure(name, self.derived[name].unit, self.derived[name].sign)
        return None

    def with_derived(self, **more: Derived) -> Measures:
        """Return the same with further derived variables, such as a file's own runs and verdicts."""
        return Measures(self.vocabulary, {**self.derived, **more})

    def nearest(self, name: str) -> str:
        """Return the name spelled most like `name`, "" if none is near."""
        names = [one.name for one in self.vocabulary.variables.values() if one.type in ("number", "yes_no")]
        return closest(name, [*names, *self.derived]) or ""


def shipped_measures() -> Measures:
    """Return the variables of the vocabulary that comes with the package."""
    return Measures(shipped_vocabulary())
