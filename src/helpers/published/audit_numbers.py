"""Audit rules on counts, percentages, sums, medians and ranges.

>>> from helpers.published.ledger import read_ledger
>>> entries = Entries(read_ledger())
>>> rules = (numeric_column, percentages, falls, within_group, repeats, partitions, ranges)
>>> [len(list(rule(entries))) for rule in rules]
[0, 0, 0, 0, 2, 1, 0]
>>> rules = (counts_below_median, moderate_anaemia, cut_offs, thresholds_and_minima)
>>> [len(list(rule(entries))) for rule in rules]
[1, 1, 1, 1]
>>> rules = (reporting_limits, deaths_and_events, schedule, unprinted_sizes)
>>> [next(rule(entries)).kind for rule in rules]
['tension', 'tension', 'tension', 'tension']
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from helpers.published.entries import Entries, Entry
from helpers.published.findings import Finding, Rule
from helpers.published.ledger import Number

# Quantities that share out a whole group: every patient is in exactly one.
PARTITIONS = (
    ("female", "male"),
    ("aosd", "sle", "other ctd"),
    ("complete remission", "partial remission", "no response"),
    ("survival", "death"),
)
# Cut-offs of published criteria that a printed cut-off may be expected to follow.
KNOWN_CUT_OFFS = {"hypofibrinogenaemia cut-off": {"HLH-2004": 1.5, "HScore": 2.5}}
_SHARES = ("percent", "fraction", "count and percent")
_RANGE = ("median", "min", "max")
_CHANGE = (" fall", " reduction", " rise")
_LABORATORY_UNITS = ("g/L", "10^9/L", "U/L", "mmol/L", "ng/mL", "ug/L", "mg/L", "U/mL")


def _ids(*entries: Entry) -> tuple[str, ...]:
    return tuple(dict.fromkeys(e.id for e in entries))


def numeric_column(entries: Entries) -> Iterator[Finding]:
    """The printed text and the column `numeric` give the same number."""
    for e in entries.all:
        values = {n.value for n in ([e.number] if e.number else [])}
        values |= {float(v) for v in (e.count, *(e.fraction or ())) if v is not None}
        if e.percent:
            values.add(e.percent.value)
        if "/uL" in e.unit:
            continue  # kept per 10^9/L
        if values and e.numeric == e.numeric and e.numeric not in values:
            text = f"{e.label}: the ledger's own column numeric says {e.numeric:g}"
            yield Finding("contradiction", "numeric column", (e.id,), text)


def percentages(entries: Entries) -> Iterator[Finding]:
    """Percentages follow from their counts, and can come from a whole number of patients."""
    for e in entries.all:
        if e.percent is None or e.statistic not in _SHARES or e.quantity.endswith(_CHANGE):
            continue
        if not 0 <= e.percent.value <= 100:
            yield Finding("contradiction", "percentage", (e.id,), f"{e.label}: not between 0 and 100")
            continue
        size = e.fraction[1] if e.fraction else entries.size(e.group)
        if size is None:
            continue
        counted = [e] if e.count is not None else [o for o in entries.by_key[e.key] if o.count is not None]
        if counted:
            yield from _follows_from_counts(e, counted, size, entries)
        elif not _reachable(e.percent, size):
            text = f"{e.label}: no whole number of {size} patients gives it"
            yield Finding("contradiction", "percentage (GRIM)", (e.id,), text)


def _follows_from_counts(e: Entry, counted: list[Entry], size: int, entries: Entries) -> Iterator[Finding]:
    """A contradiction if the percentage follows from none of the counts printed for the same thing."""
    # Part of a smaller whole, such as responders: the printed fraction names it.
    wholes = sorted({o.fraction[1] for o in counted if o.fraction} or {size})
    shares = [(f"{o.count}/{whole}", 100 * (o.count or 0) / whole) for o in counted for whole in wholes]

    def fits(percent: Number | None) -> bool:
        return percent is not None and any(percent.agrees_with(share) for _, share in shares)

    # Where another row prints the right percentage, the disagreement is found by `repeats`.
    others = (o for o in entries.by_key[e.key] if o is not e)
    if not fits(e.percent) and not any(fits(o.percent) for o in others):
        shown = ", ".join(f"{fraction} = {share:.1f}%" for fraction, share in shares)
        yield Finding("contradiction", "percentage", _ids(e, *counted), f"{e.label}: {shown}")


def falls(entries: Entries) -> Iterator[Finding]:
    """A printed fall in percent follows from the printed medians, whichever way they and it were rounded."""
    for e in entries.of("percent"):
        if not e.quantity.endswith(_CHANGE) or e.percent is None:
            continue
        name = e.quantity.rsplit(" ", 1)[0]
        before = entries.of("median", quantity=name, group=e.group, time="baseline")
        after = entries.of("median", quantity=name, group=e.group, time=e.time)
        if not (before and after and before[0].number and after[0].number):
            continue
        x, y = before[0].number, after[0].number
        dx, dy = 0.5 * 10.0**-x.decimals, 0.5 * 10.0**-y.decimals
        low = 100 * (1 - (y.value + dy) / (x.value - dx))
        high = 100 * (1 - (y.value - dy) / (x.value + dx))
        unit = 10.0**-e.percent.decimals
        # Cut off instead of rounded, 81.9 is printed as 81.
        if e.percent.value + unit < low or e.percent.value - 0.5 * unit > high:
            text = f"{e.label}: the medians {x.value:g} and {y.value:g} give {low:.1f} to {high:.1f}%"
            yield Finding("contradiction", "fall", _ids(e, before[0], after[0]), text)


def _reachable(percent: Number, size: int) -> bool:
    return any(percent.agrees_with(100 * k / size) for k in range(size + 1))


def within_group(entries: Entries) -> Iterator[Finding]:
    """No count and no denominator exceeds its group."""
    for e in entries.all:
        size = entries.size(e.group)
        if size is None or e.count is None or e.unit != "patients":
            continue
        largest = max(e.count, e.fraction[1] if e.fraction else 0)
        if largest > size:
            yield Finding("contradiction", "group size", (e.id,), f"{e.label}: the group has {size} patients")


def repeats(entries: Entries) -> Iterator[Finding]:
    """What is printed twice is the same both times, as far as its decimals go."""
    kinds: dict[tuple[object, ...], dict[str, list[tuple[Entry, Number]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for e in entries.all:
        if e.statistic in _RANGE and e.number:
            kinds[(*e.key, _per_kg(e))][e.statistic].append((e, e.number))
        if e.count is not None and e.unit in ("patients", "%"):
            kinds[e.key]["count"].append((e, Number(float(e.count), 0)))
        if e.percent is not None and e.statistic in _SHARES:
            kinds[e.key]["percent"].append((e, e.percent))
    for key, statistics in kinds.items():
        parts, ids = [], []
        for statistic, found in statistics.items():
            if all(_same(x, y) for (_, x), (_, y) in combinations(found, 2)):
                continue
            parts.append(f"{statistic} is " + " and ".join(f"{e.printed!r} ({e.id})" for e, _ in found))
            ids += [e for e, _ in found]
        if parts:
            where = ", ".join(str(part) for part in key[:3] if part)
            yield Finding("contradiction", "printed twice", _ids(*ids), f"{where}: {'; '.join(parts)}")


def _per_kg(e: Entry) -> bool:
    return "kg" in e.unit


def _same(x: Number, y: Number) -> bool:
    coarse, fine = (x, y) if x.decimals <= y.decimals else (y, x)
    return coarse.agrees_with(fine.value)


def partitions(entries: Entries) -> Iterator[Finding]:
    """Parts add up to their group; where one part is not printed, the rest leaves room for it."""
    for parts in PARTITIONS:
        for group in entries.groups:
            times = dict.fromkeys(e.time for e in entries.all if e.quantity in parts and e.group == group)
            for time in times:
                yield from _one_partition(entries, parts, group, time)


def _one_partition(entries: Entries, parts: tuple[str, ...], group: str, time: str) -> Iterator[Finding]:
    size = entries.size(group) or 0
    found = {p: entries.count(p, group, "" if p == "death" else time) for p in parts}
    if any(p == "survival" for p in parts) and time == "":
        return
    known = {p: f for p, f in found.items() if f is not None}
    if len(known) < 2:
        return
    total = sum(value for value, _ in known.values())
    ids = _ids(*(rows[0] for _, rows in known.values()))
    shown = " + ".join(f"{p} {value}" for p, (value, _) in known.items())
    where = f"{group}, {time}" if time else group
    if len(known) == len(parts) and total != size:
        yield Finding(
            "contradiction", "sum", ids, f"{where}: {shown} = {total}, the group has {size} patients"
        )
    elif total > size:
        yield Finding("contradiction", "sum", ids, f"{where}: {shown} = {total} of {size} patients")
    elif len(known) < len(parts) and "no response" in parts and total < size:
        text = (
            f"{where}: {shown} = {total} of {size}; who had no response is not printed, so the smaller "
            "count may be part of the larger"
        )
        yield Finding("tension", "incomplete responses", ids, text)


def ranges(entries: Entries) -> Iterator[Finding]:
    """Smallest value, median and largest are in order, and the median can be one of that many values."""
    by_row: dict[tuple[object, ...], dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for e in entries.all:
        if e.statistic in _RANGE and e.number:
            by_row[(*e.key, _per_kg(e))][e.statistic].append(e)
    for row in by_row.values():
        ordered = [e for s in ("min", "median", "max") for e in row.get(s, [])[:1]]
        for a, b in combinations(ordered, 2):
            if a.number and b.number and a.number.value > b.number.value:
                text = f"{a.label} ({a.statistic}) is above {b.label} ({b.statistic})"
                yield Finding("contradiction", "range", _ids(a, b), text)
        yield from _median_resolution(entries, row)


def _median_resolution(entries: Entries, row: dict[str, list[Entry]]) -> Iterator[Finding]:
    if not all(s in row for s in _RANGE):
        return
    median, low, high = row["median"][0], row["min"][0], row["max"][0]
    size = entries.size(median.group)
    if size is None or not (median.number and low.number and high.number):
        return
    # With an odd number the median is a value of the sample, with an even one a value or halfway between two.
    decimals = max(low.number.decimals, high.number.decimals)
    steps = median.number.value * 10**decimals * (1 if size % 2 else 2)
    if median.number.decimals > decimals and abs(steps - round(steps)) > 1e-6:
        text = f"{median.label}: {size} values printed like {low.printed} and {high.printed} cannot have it"
        yield Finding("contradiction", "median (GRIM)", _ids(median, low, high), text)


def counts_below_median(entries: Entries) -> Iterator[Finding]:
    """At most half of the values lie below a cut-off that is not above the median."""
    for cut in entries.of("threshold"):
        name = re.sub(r"\s+cut-off$", "", cut.quantity)
        variable = _VARIABLE_OF_SIGN.get(name)
        counted = entries.count(name, cut.group, cut.time)
        size = entries.size(cut.group)
        if name == cut.quantity or variable is None or counted is None or size is None or cut.number is None:
            continue
        medians = entries.of("median", quantity=variable, group=cut.group, time=cut.time)
        for median in medians[:1]:
            if median.number is None:
                continue
            count, rows = counted
            if cut.number.value <= median.number.value and count > size // 2:
                text = (
                    f"{rows[0].label}: at most {size // 2} of {size} are below {cut.printed} at a median of "
                )
                text += median.printed
                yield Finding("contradiction", "count below median", _ids(rows[0], cut, median), text)
            elif cut.number.value == median.number.value and size % 2 == 0 and count == size // 2:
                text = (
                    f"{rows[0].label} below {cut.printed} with a median of {median.printed}: holds only if "
                    "the two middle values lie at equal distance from the cut-off, or it was rounded"
                )
                yield Finding("tension", "count below median", _ids(rows[0], cut, median), text)


_VARIABLE_OF_SIGN = {"hypofibrinogenaemia": "fibrinogen"}


def moderate_anaemia(entries: Entries) -> Iterator[Finding]:
    """Moderate anaemia by the WHO (80 to 109 g/L) or worse takes in all values up to a median under 110."""
    for group in entries.groups:
        counted, size = entries.count("moderate anaemia", group), entries.size(group) or 0
        for median in entries.of("median", quantity="hemoglobin", group=group)[:1]:
            if counted and median.number and median.number.value < 110 and counted[0] < (size + 1) // 2:
                text = (
                    f"{counted[1][0].label}: at least {(size + 1) // 2} of {size} have {median.printed} g/L "
                    "or less, so this is not the WHO grading (80 to 109 g/L); a cut-off near 90 g/L fits"
                )
                yield Finding("tension", "grading", _ids(counted[1][0], median), text)


def cut_offs(entries: Entries) -> Iterator[Finding]:
    """A printed cut-off is one of the published ones."""
    for e in entries.of("threshold"):
        known = KNOWN_CUT_OFFS.get(e.quantity, {})
        if known and e.number and e.number.value not in known.values():
            shown = ", ".join(f"{name} {value:g}" for name, value in known.items())
            yield Finding(
                "tension", "cut-off", (e.id,), f"{e.label} is not a cut-off of the criteria ({shown})"
            )


def thresholds_and_minima(entries: Entries) -> Iterator[Finding]:
    """Patients selected by a threshold whose values nevertheless lie below it qualified by something else."""
    for rule in entries.of("threshold"):
        words = set(rule.quantity.split())
        if rule.number is None or not re.match(r"\s*(>|>=|≥)", rule.printed) or "pr" in words:
            continue
        found = [
            e
            for e in entries.all
            if e.statistic in ("median", "min")
            and e.quantity in words
            and e.number
            and e.number.value < rule.number.value
        ]
        if found:
            shown = "; ".join(f"{e.label} ({e.statistic})" for e in found)
            text = f"{rule.label}, yet {shown}: these patients met the definition by other items"
            yield Finding("tension", "threshold", _ids(rule, *found), text)


def reporting_limits(entries: Entries) -> Iterator[Finding]:
    """Values that look like the limits of an assay: 0, or a round median close to the smallest value."""
    for e in entries.of("min"):
        if e.unit in _LABORATORY_UNITS and e.number and e.number.value == 0:
            text = f"{e.label}: zero is a value below the limit of the assay, not a concentration"
            yield Finding("tension", "lower limit", (e.id,), text)
    for median in entries.of("median"):
        rows = {
            s: entries.of(s, quantity=median.quantity, group=median.group, time=median.time)
            for s in ("min", "max")
        }
        if median.unit not in _LABORATORY_UNITS or not (rows["min"] and rows["max"]):
            continue
        low, high = rows["min"][0], rows["max"][0]
        if not (median.number and low.number and high.number):
            continue
        m, a, b = (n.value for n in (median.number, low.number, high.number))
        if m >= 500 and m % 500 == 0 and b % 500 == 0 and a > 0.8 * m and b >= 5 * m:
            text = (
                f"{median.label} with a smallest value of {low.printed} and a largest of {high.printed}: "
                "looks like upper reporting limits, so the comparison would be of values cut off in one group"
            )
            yield Finding("tension", "upper limit", _ids(median, low, high), text)


def deaths_and_events(entries: Entries) -> Iterator[Finding]:
    """No severe event although someone died; a sign said to have gone in all although someone died."""
    for group in entries.groups:
        death = entries.count("death", group)
        if death is None or death[0] == 0:
            continue
        none = [
            e
            for e in entries.all
            if e.quantity == "severe adverse events" and e.group == group and e.numeric == 0
        ]
        if none:
            text = f"{none[0].label}, but {death[1][0].label}: the death was not counted as an event"
            yield Finding("tension", "death and events", _ids(*none, death[1][0]), text)
        for resolved in [e for e in entries.all if e.quantity.endswith(" resolved") and e.group == group]:
            sign = entries.count(resolved.quantity.removesuffix(" resolved"), group, "baseline")
            if sign and resolved.count == sign[0]:
                text = (
                    f"{resolved.label} of {sign[0]} at baseline, but {death[1][0].label}: holds only if "
                    "nobody who died had the sign"
                )
                yield Finding("tension", "death and recovery", _ids(resolved, sign[1][0], death[1][0]), text)


def schedule(entries: Entries) -> Iterator[Finding]:
    """A time to event that falls on none of the visits."""
    weeks = [
        int(w)
        for e in entries.of("schedule")
        if e.unit == "weeks" and "," in e.printed
        for w in re.findall(r"\d+", e.printed)
    ]
    if not weeks:
        return
    plan = next(e for e in entries.of("schedule") if "," in e.printed)
    for e in entries.of("min"):
        if e.unit == "days" and e.number and e.number.value not in [7 * w for w in weeks]:
            yield Finding(
                "tension",
                "schedule",
                _ids(e, plan),
                f"{e.label}: no visit was planned on that day ({plan.printed})",
            )


def unprinted_sizes(entries: Entries) -> Iterator[Finding]:
    """Values said to be missing without saying how many: the ledger's column ``missing`` notes it."""
    for e in entries.all:
        if e.missing:
            text = f"{e.label}: {e.missing}, so the group's size does not hold for this row"
            yield Finding("tension", "unprinted size", _ids(e), text)


NUMBER_RULES: tuple[Rule, ...] = (
    numeric_column,
    percentages,
    falls,
    within_group,
    repeats,
    partitions,
    ranges,
    counts_below_median,
    moderate_anaemia,
    cut_offs,
    thresholds_and_minima,
    reporting_limits,
    deaths_and_events,
    schedule,
    unprinted_sizes,
)
