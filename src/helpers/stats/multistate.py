"""State occupancy over time when patients move between states: Aalen-Johansen, and expected days in each
state.

States such as no response, partial response, complete response and death are entered and left; the
probability of being in one on a day, and the days spent in it up to a horizon, say "how long well" without
choosing a visit.

>>> ends = [4, 10, 10]
>>> data = moves([1, 1, 2], [0, 4, 0], ends, ["NR", "CR", "NR"], ["CR", None, None], ["NR", "CR"])
>>> times, shares = occupancy(data)
>>> times.tolist(), shares[0].tolist()
([4.0], [[1.0, 0.0], [0.5, 0.5]])
>>> expected_days(data, 10).tolist()  # half the patients for 6 days in CR
[[7.0, 3.0]]
>>> occupancy_table(data, [5])["probability"].tolist()
[0.5, 0.5]
>>> weights = np.array([[1.0, 1.0], [0.5, 1.5], [1.5, 0.5]])
>>> (
...     occupancy_result(data, 5, ["CR"], weights).value,
...     expected_days_result(data, 10, ["CR"], weights).value,
... )
(0.5, 3.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import Floats, Ints, confidence_level, float_array, group_codes
from helpers.stats.fractional_bootstrap import percentile_limits
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Moves:
    """Checked histories: record i holds subject `subject[i]` in state `source[i]` over (start, stop].

    `target` is the state entered at `stop`, or -1 where the record ends without a change (censoring, or a cut
    in the same state). `names` are the states, `first` each subject's state at time 0, `ids` the subjects.
    """

    ids: tuple[Any, ...]
    subject: Ints
    start: Floats
    stop: Floats
    source: Ints
    target: Ints
    names: tuple[str, ...]
    first: Ints


def moves(subject: Any, start: Any, stop: Any, source: Any, target: Any, states: Sequence[str]) -> Moves:
    """Check histories of states; see `Moves`. `target` is None, "" or NaN where the record ends without a
    change.

    Raises StatisticsError for an unknown state, a record that does not end after it starts, records of one
    subject with a gap, an overlap, or a state that is not the one entered before, and for subjects not
    observed from time 0.
    """
    codes = group_codes(subject, np.size(stop), "subject", minimum=1)
    begin, end = float_array(start, "start"), float_array(stop, "stop")
    if not (begin < end).all():
        raise StatisticsError("start", "must lie before stop in every record")
    index = {name: i for i, name in enumerate(states)}
    kept = [_state(index, s, "source", must=True) for s in source]
    entered = [_state(index, t, "target", must=False) for t in target]
    order = np.lexsort((begin, codes.codes))
    found = Moves(
        codes.labels,
        codes.codes[order],
        begin[order],
        end[order],
        np.array(kept, np.int64)[order],
        np.array(entered, np.int64)[order],
        tuple(states),
        np.zeros(codes.count, np.int64),
    )
    opening = np.concatenate(([True], np.diff(found.subject) > 0))
    if (found.start[opening] != 0).any():
        raise StatisticsError("start", "every subject must be observed from time 0")
    joined = ~opening[1:]
    stays = np.where(found.target[:-1] < 0, found.source[:-1], found.target[:-1])
    broken = joined & ((found.start[1:] != found.stop[:-1]) | (found.source[1:] != stays))
    if broken.any():
        who = found.ids[int(found.subject[1:][broken][0])]
        raise StatisticsError("start", f"the records of subject {who!r} do not follow each other")
    found.first[found.subject[opening]] = found.source[opening]
    return found


def _state(index: dict[str, int], value: Any, argument: str, *, must: bool) -> int:
    if not must and (value is None or value != value or value == ""):
        return -1
    if value not in index:
        raise StatisticsError(argument, f"{value!r} is not among the states {list(index)}")
    return index[value]


def occupancy(data: Moves, weights: Any = None) -> tuple[Floats, Floats]:
    """Times of change, and the probability of each state from each of them on: shapes (T,), (draws, T + 1,
    states).

    Row 0 is time 0. `weights` of shape (draws, subjects) in the order of `data.ids` (default: one draw of
    ones). Aalen-Johansen estimator, equal to R's `survfit` for multi-state data. Raises StatisticsError
    for weights of another number of subjects.
    """
    w = np.ones((1, len(data.ids))) if weights is None else np.atleast_2d(np.asarray(weights, dtype=float))
    if w.shape[1] != len(data.ids):
        raise StatisticsError("weights", f"has {w.shape[1]} columns for {len(data.ids)} subjects")
    size = len(data.names)
    moving = (data.target >= 0) & (data.target != data.source)
    at = np.unique(data.stop[moving])
    record = w[:, data.subject]
    found = np.zeros((len(w), at.size + 1, size))
    for state in range(size):
        found[:, 0, state] = w[:, data.first == state].sum(1) / w.sum(1)
    for step, day in enumerate(at.tolist(), start=1):
        now = found[:, step - 1].copy()
        risk = (data.start < day) & (data.stop >= day)
        leaving = moving & (data.stop == day)
        for source in np.unique(data.source[leaving]).tolist():
            total = record[:, risk & (data.source == source)].sum(1)
            for target in np.unique(data.target[leaving & (data.source == source)]).tolist():
                gone = record[:, leaving & (data.source == source) & (data.target == target)].sum(1)
                flow = found[:, step - 1, source] * gone / total
                now[:, source] -= flow
                now[:, target] += flow
        found[:, step] = now
    return at, found


def expected_days(data: Moves, tau: float, weights: Any = None) -> Floats:
    """Expected days in each state from 0 to `tau`, shape (draws, states); they sum to `tau`.

    Raises StatisticsError for a `tau` not above 0, and as `occupancy`.
    """
    if not np.isfinite(tau) or tau <= 0:
        raise StatisticsError("tau", f"must be above 0, found {tau!r}")
    _check_reach(data, tau)
    at, probability = occupancy(data, weights)
    inside = at < tau
    knots = np.concatenate(([0.0], at[inside], [tau]))
    return np.asarray(np.einsum("t,dts->ds", np.diff(knots), probability[:, : inside.sum() + 1]))


def _check_reach(data: Moves, tau: float) -> None:
    absorbing = [s for s in range(len(data.names)) if not ((data.source == s) & (data.target >= 0)).any()]
    last = float(data.stop.max())
    if tau > last and not np.isin(data.target[data.stop == last], absorbing).all():
        raise StatisticsError("tau", f"{tau:g} lies beyond the last follow-up {last:g}")


def occupancy_table(data: Moves, days: Any) -> pd.DataFrame:
    """Probability of each state on each day: columns day, state, probability."""
    import pandas as pd

    grid = float_array(days, "days")
    at, probability = occupancy(data)
    rows = np.searchsorted(at, grid, side="right")
    return pd.DataFrame(
        {
            "day": np.repeat(grid, len(data.names)),
            "state": list(data.names) * grid.size,
            "probability": probability[0][rows].ravel(),
        }
    )


def occupancy_result(
    data: Moves, day: float, states: Sequence[str], weights: Floats, *, confidence: float = 0.95
) -> Result:
    """Probability of being in any of `states` on `day`, with the percentile interval of bootstrap `weights`.

    As `expected_days_result`. Raises StatisticsError for an unknown state or a day beyond the follow-up.
    """
    level = confidence_level(confidence)
    chosen = _chosen(data, states)
    _check_reach(data, day)

    def on_the_day(drawn: Floats | None) -> Floats:
        at, probability = occupancy(data, drawn)
        row = int(np.searchsorted(at, day, side="right"))
        return np.asarray(probability[:, row, chosen].sum(1))

    lower, upper = percentile_limits(on_the_day(weights), level)
    return Result(
        method=f"probability of {', '.join(states)} (Aalen-Johansen), percentile interval of "
        f"{len(weights)} weighted draws",
        value=float(on_the_day(None)[0]),
        lower=lower,
        upper=upper,
        n=len(data.ids),
        confidence=level,
        note=_no_spread(lower),
        options={"day": float(day), "states": tuple(states)},
    )


def _no_spread(limit: float) -> str:
    return "no interval: every draw gives the same" if limit != limit else ""


def _chosen(data: Moves, states: Sequence[str]) -> list[int]:
    unknown = sorted(set(states) - set(data.names))
    if unknown:
        raise StatisticsError("states", f"{unknown} are not among {list(data.names)}")
    return [data.names.index(s) for s in states]


def expected_days_result(
    data: Moves, tau: float, states: Sequence[str], weights: Floats, *, confidence: float = 0.95
) -> Result:
    """Expected days to `tau` in any of `states`, with the percentile interval of bootstrap `weights`.

    `weights` of shape (draws, subjects) in the order of `data.ids`, as `fractional_weights` makes them.
    Raises StatisticsError as `expected_days`, and for an unknown state.
    """
    level = confidence_level(confidence)
    chosen = _chosen(data, states)
    value = float(expected_days(data, tau)[0, chosen].sum())
    draws = expected_days(data, tau, weights)[:, chosen].sum(1)
    lower, upper = percentile_limits(draws, level)
    return Result(
        method=f"expected days to {tau:g} in {', '.join(states)} (Aalen-Johansen), percentile interval of "
        f"{len(draws)} weighted draws",
        value=value,
        lower=lower,
        upper=upper,
        n=len(data.ids),
        confidence=level,
        note=_no_spread(lower),
        options={"tau": float(tau), "states": tuple(states)},
        details={"std_err": float(draws.std(ddof=1)) if draws.size > 1 else float("nan")},
    )
