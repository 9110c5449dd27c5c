"""Values off by a known factor: a unit that is another, a point that separates thousands.

A variable, an arm, a patient or a part of the values is set against the rest. It is a slip if it lies apart
from the rest and would lie among it once a factor is taken out. Whether that can be seen depends on the
variable: haemoglobin leaves no room for a factor of 10, ferritin in inflammation does. What disease itself
may have done to one patient is a warning.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.cohort.measuring import Measured
from helpers.cohort.parsing import TypedTable
from helpers.cohort.settings import CohortConfig
from helpers.cohort.texts import as_coded, distinct, looked_up
from helpers.problems import Problem, Severity
from helpers.vocabulary.model import ReferenceRange, Variable

Logs = NDArray[np.float64]

POWERS = (10.0, 100.0, 1000.0)
_FEWEST = 3  # values that make a set; fewer are single values
_REST = 8  # values that say what is usual
_MOST = 0.9  # share of a set that must lie apart, and among the rest once changed
_GAP = 0.6  # smallest gap, in powers of ten, that splits one variable's values in two
# How far the median of a whole variable may lie from its limits of normal: towards disease, and away from it.
_USUAL = {True: (30.0, 4.0), False: (3.0, 2.5)}
_THREE_DECIMALS = re.compile(r"^\d{1,3}\.\d{3}$")
_DECIMALS = re.compile(r"\.\d{3,}$")


@dataclass(frozen=True)
class Slip:
    """A set of values that would fit if multiplied (`up`) or divided by `factor`.

    >>> Slip(10.0, up=True).words(), Slip(18.02, up=False).words()
    ('multiplied by 10', 'divided by 18.02')
    """

    factor: float
    up: bool

    def words(self) -> str:
        """Return what would make the values fit."""
        return f"{'multiplied' if self.up else 'divided'} by {self.factor:g}"


def scale_problems(
    table: TypedTable, measured: Measured, people: pd.DataFrame, config: CohortConfig
) -> list[Problem]:
    """Return errors for sets of values, and warnings for single ones, that are off by a known factor.

    Args:
        table: typed table of measurements.
        measured: its values in the unit kept.
        people: patients by patient_id.
        config: settings; `[implausible] confirmed` names variables that are not looked at.

    >>> people = examined.tables["patients"].frame.set_index("patient_id")
    >>> scale_problems(examined.tables["measurements"], examined.measured, people, config)
    []
    """
    every = measured.frame
    group = people["group"] if "group" in people else pd.Series(dtype=object)
    texts = distinct(every["text"])
    decimals = {
        "thousands": every["text"].isin([text for text in texts if _THREE_DECIMALS.match(text)]),
        "finer": every["text"].isin([text for text in texts if _DECIMALS.search(text)]),
    }
    ids = as_coded(every["patient_id"])
    patients = ids.cat.codes
    problems: list[Problem] = []
    for name, places in measured.places(every["value"] > 0):
        variable = config.vocabulary[name]
        if variable.type != "number" or name in config.implausible.confirmed or len(places) < _FEWEST:
            continue
        rows = every[["value", "written_unit"]].iloc[places]
        rows = rows.assign(
            log=np.log10(rows["value"]),
            arm=looked_up(ids.iloc[places], group),
            patient=patients.iloc[places].where(patients.iloc[places] >= 0),
            **{column: mask.to_numpy()[places] for column, mask in decimals.items()},
        )
        found = _of_variable(rows, variable, config.vocabulary.ranges.get(variable.name, ()))
        problems += [_problem(table, *slip, variable) for slip in found]
    return problems


def factors_of(variable: Variable) -> tuple[float, ...]:
    """Return the factors by which values of a variable go wrong: powers of ten, and between its units.

    >>> {10.0, 100.0} <= set(factors_of(config.vocabulary.get("hemoglobin")))  # g/dL is 10 g/L
    True
    """
    units = {c.to_standard(np.array([1.0]))[0] - c.to_standard(np.array([0.0]))[0]
             for c in variable.units.values()}  # fmt: skip
    between = {max(a / b, b / a) for a in units for b in units if a > 0 and b > 0}
    return tuple(sorted({*POWERS, *(round(f, 6) for f in between if 5 <= f <= 1e4)}))


_Found = tuple[pd.DataFrame, str, Slip, bool]


def _of_variable(
    rows: pd.DataFrame, variable: Variable, ranges: Iterable[ReferenceRange]
) -> Iterator[_Found]:
    """Yield rows, who they are, their slip, and whether it is beyond doubt; the largest set first."""
    factors = factors_of(variable)
    logs = rows["log"].to_numpy()
    whole = _against_normal(logs, rows["patient"].nunique(), variable, ranges, factors)
    if whole:
        yield rows, f"all values of {variable.name}", whole, True
        return
    patients = rows["patient"].to_numpy()
    for mask, who in _parts(rows):
        if min(len(np.unique(patients[mask])), len(np.unique(patients[~mask]))) < _FEWEST:
            continue  # what a few patients have in common is theirs
        slip = slip_of(logs[mask], logs[~mask], factors)
        if slip:
            yield rows[mask], f"{who} of {variable.name}", slip, True
            return
    thousand = Slip(1000.0, up=True)
    # Counts of cells near none are what disease and treatment do, and normal values are no slip; there only
    # the three decimals speak.
    gap, normal = _below_a_gap(logs), _limits(ranges)
    if _towards_disease(thousand, variable) or (gap is not None and _is_normal(np.median(logs[gap]), normal)):
        gap = None
    for few, further in ((_with_three_decimals(rows), 2.0), (gap, 1.0)):
        if few is not None and _adjoins(logs[few], logs[~few], further):
            yield rows[few], f"{int(few.sum())} values of {variable.name}", thousand, True
            return
    yield from _of_patients(rows, variable, factors, normal)


def _of_patients(
    rows: pd.DataFrame, variable: Variable, factors: tuple[float, ...], normal: tuple[float, float]
) -> Iterator[_Found]:
    """Yield patients all of whose values are off, then single values.

    Only who has the smallest or the largest value can lie beyond all others: they alone are looked at, and
    once one of them is found, those who are then at the ends.
    """
    patients, names = pd.factorize(rows["patient"], sort=True)
    if len(names) <= _REST:
        return
    logs = rows["log"].to_numpy()
    left = np.ones(len(rows), dtype=bool)
    looked_at: set[int] = set()
    while True:
        ends = {int(patients[left][end]) for end in (np.argmin(logs[left]), np.argmax(logs[left]))}
        if not ends - looked_at:
            break
        patient = min(ends - looked_at)
        looked_at.add(patient)
        own = patients == patient
        slip = slip_of(logs[own], logs[left & ~own], factors, beyond_all=True)
        if slip and not _is_normal(float(np.median(logs[own])), normal):
            sure = not _towards_disease(slip, variable)
            if sure or (slip.factor in POWERS and len(names) > 2 * _REST):
                yield rows[own], f"all {own.sum()} values of one patient of {variable.name}", slip, sure
                left &= ~own
    yield from _single(rows[left], variable, factors, normal)


def _limits(ranges: Iterable[ReferenceRange]) -> tuple[float, float]:
    """Return the widest limits of normal on the log scale; infinite where there is none."""
    lows = [r.low for r in ranges if r.low]
    highs = [r.high for r in ranges if r.high]
    return np.log10(min(lows)) if lows else -np.inf, np.log10(max(highs)) if highs else np.inf


def _is_normal(log: float | np.floating, normal: tuple[float, float]) -> bool:
    """Tell whether a value is normal; of a variable without limits nobody can say, and it is not."""
    return bool(np.isfinite(normal).any() and normal[0] <= log <= normal[1])


def _parts(rows: pd.DataFrame) -> Iterator[tuple[NDArray[np.bool_], str]]:
    """Yield the parts of a variable's values that may have come in another unit."""
    for column, words in (("arm", "all values of an arm"), ("written_unit", "all values in one unit")):
        parts = distinct(rows[column].dropna())
        for part in sorted(parts) if len(parts) > 1 else ():
            yield (rows[column] == part).to_numpy(dtype=bool), f"{words} ({part})"


def _with_three_decimals(rows: pd.DataFrame) -> NDArray[np.bool_] | None:
    """Return the mask of values written as 2.206, if no others have so many decimals."""
    thousands = rows["thousands"].to_numpy(dtype=bool)
    others = rows["finer"].to_numpy(dtype=bool) & ~thousands
    return thousands if thousands.any() and not others.any() else None


def _below_a_gap(logs: Logs) -> NDArray[np.bool_] | None:
    """Return the mask of values below the widest gap, if there are several on both sides of it."""
    order = np.sort(logs)
    steps = np.diff(order)[_FEWEST - 1 : len(order) - _FEWEST]
    if not len(steps):
        return None
    return np.asarray(logs <= order[int(np.argmax(steps)) + _FEWEST - 1])


def _adjoins(part: Logs, rest: Logs, further: float) -> bool:
    """Tell whether values far below the rest, times 1000, would lie among it or go on where it ends.

    With a point that separates thousands the larger values become the smallest: none of the rest need be
    like them. `further` says how many powers of ten they may reach beyond the rest.
    """
    enough = len(part) >= max(_FEWEST, 0.05 * len(rest)) and len(rest) >= _FEWEST
    if not enough or rest.min() - part.max() < _GAP:
        return False
    moved, low, high = part + 3.0, rest.min(), rest.max()
    return bool(moved.min() >= low and moved.min() <= high + 0.3 and moved.max() <= high + further)


def slip_of(part: Logs, rest: Logs, factors: Iterable[float], *, beyond_all: bool = False) -> Slip | None:
    """Return the factor that would put a part of the values among the rest, or None.

    Args:
        part, rest: log10 of the values.
        factors: candidates above 1.
        beyond_all: compare with all of the rest, not with its middle 96 %, and ask for a clear distance.

    Example:
        >>> rest = np.log10([90.0, 100, 105, 110, 118, 120, 125, 131, 140])
        >>> slip_of(np.log10([9.8, 11.2, 12.0]), rest, POWERS).words()
        'multiplied by 10'
    """
    if len(part) < _FEWEST or len(rest) < _REST:
        return None
    ends = (0.0, 1.0) if beyond_all else (0.02, 0.98)
    low, high = np.quantile(rest, ends)
    middle = float(np.median(rest))
    below, above = float(np.mean(part < low)) >= _MOST, float(np.mean(part > high)) >= _MOST
    if not (below or above):
        return None
    distance = low - np.quantile(part, 0.9) if below else np.quantile(part, 0.1) - high
    best: tuple[float, Slip] | None = None
    for factor in factors:
        step = np.log10(factor)
        moved = part + step if below else part - step
        off = abs(float(np.median(moved)) - middle)
        fits = float(np.mean((moved >= low - 0.02) & (moved <= high + 0.02))) >= _MOST
        apart = distance >= (0.3 if beyond_all else 0.1) * step
        nearer = off < abs(float(np.median(part)) - middle) / 3
        if fits and apart and nearer and (best is None or off < best[0]):
            best = (off, Slip(factor, bool(below)))
    return best[1] if best else None


def _against_normal(
    logs: Logs, patients: int, variable: Variable, ranges: Iterable[ReferenceRange], factors: Iterable[float]
) -> Slip | None:
    """Return the factor that would bring all values of a variable near the limits of normal."""
    lows = [r.low for r in ranges if r.low is not None]
    highs = [r.high for r in ranges if r.high is not None]
    if not (lows and highs) or patients < _FEWEST or len(logs) < 5:
        return None
    sick, well = _USUAL[variable.skewed]
    down = sick if variable.direction in ("low", "both") else well
    up = sick if variable.direction in ("high", "both") else well
    low, high = np.log10(min(lows) / down), np.log10(max(highs) * up)
    middle = float(np.median(logs))
    if low <= middle <= high:
        return None
    centre = (np.log10(min(lows)) + np.log10(max(highs))) / 2
    candidates = []
    for factor in factors:
        step = np.log10(factor) * (1 if middle < low else -1)
        if (
            low <= middle + step <= high
            and float(np.mean((logs + step >= low) & (logs + step <= high))) >= 0.8
        ):
            candidates.append((abs(middle + step - centre), Slip(factor, middle < low)))
    return min(candidates, key=lambda found: found[0])[1] if candidates else None


def _towards_disease(slip: Slip, variable: Variable) -> bool:
    """Tell whether disease alone may have put the values where they are."""
    direction = variable.direction or "both"
    return direction in (("low", "both") if slip.up else ("high", "both"))


def _single(
    rows: pd.DataFrame, variable: Variable, factors: tuple[float, ...], normal: tuple[float, float]
) -> Iterator[_Found]:
    """Yield single values far beyond all others that a factor would put right, away from disease."""
    if len(rows) < 2 * _REST:
        return
    order = rows.sort_values("log", kind="stable")
    for end in (0, -1):
        rest = order.drop(order.index[end])["log"].to_numpy()
        value, low, high = order["log"].iloc[end], rest.min(), rest.max()
        distance = low - value if end == 0 else value - high
        slips = [Slip(f, end == 0) for f in factors if distance >= 0.7 * np.log10(f)]
        slips = [s for s in slips if not _towards_disease(s, variable) and _near_middle(value, s, rest)]
        if slips and not _is_normal(float(value), normal):
            yield order.iloc[[end]], f"one value of {variable.name}", slips[0], False


def _near_middle(value: float, slip: Slip, rest: Logs) -> bool:
    low, high = np.quantile(rest, (0.1, 0.9))
    moved = value + np.log10(slip.factor) * (1 if slip.up else -1)
    return bool(low <= moved <= high)


def _problem(
    table: TypedTable, rows: pd.DataFrame, who: str, slip: Slip, sure: bool, variable: Variable
) -> Problem:
    lowest, highest = rows["value"].min(), rows["value"].max()
    span = f"{lowest:g}" if lowest == highest else f"{lowest:g} to {highest:g}"
    found = f"{who}: {span} {variable.unit}, which would fit the others {slip.words()}"
    if who.startswith("all values of ") and "(" not in who:
        found = f"{who}: {span} {variable.unit}, which would be usual {slip.words()}"
    lines = sorted(int(row) for row in rows.index)
    remedy = "correct the unit or the values"
    if any(fit == slip.factor for fit in POWERS):
        remedy += ", or a point that separates thousands"
    if sure:
        confirmed = f'confirmed = ["{variable.name}"]'
        remedy += f"; if they are right, say {confirmed} under [implausible] in cohort.toml"
    column = table.raw.header("value")
    severity: Severity = "error" if sure else "warning"
    expected = f"values of {variable.name} on one scale"
    return Problem(
        table.raw.file,
        lines[0],
        column,
        found,
        expected,
        remedy,
        severity,
        tuple(lines[1:]),
    )
