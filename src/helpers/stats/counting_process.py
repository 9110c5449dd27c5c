"""Cox model on (start, stop] records with weights: delayed entry, time-varying covariates, robust errors.

lifelines fits these models too, and is the second computation in the tests; its robust standard error of a
weighted fit lies about one per cent below that of R's `coxph` and of this module, because it leaves out the
part of the tied deaths that Efron's rule removes from the risk set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from helpers.stats.checks import (
    Bools,
    Floats,
    Ints,
    choice,
    confidence_level,
    event_flags,
    float_array,
    group_codes,
    survival_times,
    turns,
)
from helpers.stats.cox import newton
from helpers.stats.ratios import ratio_of_log
from helpers.stats.result import Result, StatisticsError

Ties = Literal["efron", "breslow"]

_NO_SPREAD = "no interval and no test: the robust variance is 0, as where all have the event at once"
_ROUNDING = 1e-10  # errors below it are what is left of 0


@dataclass(frozen=True)
class Records:
    """Checked (start, stop] records: a subject is at risk after `start`, up to and at `stop`."""

    start: Floats
    stop: Floats
    event: Bools
    weight: Floats
    cluster: Ints

    @property
    def subjects(self) -> int:
        """Number of distinct subjects."""
        return int(np.unique(self.cluster).size)


def records(start: Any, stop: Any, event: Any, weights: Any = None, subject: Any = None) -> Records:
    """Check (start, stop] records of one or several per subject.

    `start`, `stop` in one unit of time, `event` 1 at the end of the record; `weights` positive or 0 (default
    1); `subject` labels records of one subject (default: each record its own). Raises StatisticsError where a
    record does not end after it starts, or a weight is negative or missing.

    >>> data = records([0, 3], [3, 8], [0, 1], subject=["a", "a"])
    >>> data.subjects, data.event.tolist()
    (1, [False, True])
    >>> records([3], [3], [1])
    Traceback (most recent call last):
        ...
    helpers.stats.result.StatisticsError: start: must lie before stop, found 3 and 3 at position 0
    """
    stops = survival_times(stop, "stop")
    starts = float_array(start, "start")
    if starts.size != stops.size:
        raise StatisticsError("start", f"has {starts.size} entries, stop has {stops.size}")
    wrong = ~(starts < stops)
    if wrong.any():
        where = int(np.flatnonzero(wrong)[0])
        raise StatisticsError(
            "start", f"must lie before stop, found {starts[where]:g} and {stops[where]:g} at position {where}"
        )
    events = event_flags(event, stops.size)
    weight = checked_weights(weights, stops.size)
    codes = np.arange(stops.size) if subject is None else group_codes(subject, stops.size, "subject", 1).codes
    return Records(starts, stops, events, weight, codes)


def checked_weights(weights: Any, size: int, argument: str = "weights") -> Floats:
    """Weights as floats >= 0, none missing, not all 0; ones when `weights` is None.

    >>> checked_weights(None, 2).tolist(), checked_weights([1, 0.5], 2).tolist()
    ([1.0, 1.0], [1.0, 0.5])
    """
    if weights is None:
        return np.ones(size)
    array = float_array(weights, argument)
    if array.size != size:
        raise StatisticsError(argument, f"has {array.size} entries, expected {size}")
    if np.isnan(array).any() or (array < 0).any():
        where = int(np.flatnonzero(np.isnan(array) | (array < 0))[0])
        raise StatisticsError(argument, f"must be 0 or more, found {array[where]:g} at position {where}")
    if not (array > 0).any():
        raise StatisticsError(argument, "all are 0")
    return array


@dataclass(frozen=True)
class CountingFit:
    """A fitted model. `covariance` is model-based, `robust_covariance` the sandwich by subject.

    >>> data = records([0] * 6, [1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 0])
    >>> fit = counting_process_cox(data, [[0], [1], [0], [1], [0], [1]], ["treated"])
    >>> round(fit.result("treated").value, 3), round(fit.score_test().p_value, 3)
    (0.532, 0.486)
    """

    terms: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    robust_covariance: Floats
    score_statistic: float
    robust_score_statistic: float
    log_likelihood: float
    n: int
    n_events: int
    ties: str
    confidence: float
    separated: tuple[str, ...]

    @property
    def note(self) -> str:
        """What a reader must know before quoting the fit; empty if nothing."""
        if not self.separated:
            return ""
        return f"monotone likelihood for {', '.join(self.separated)}: no finite estimate exists"

    def score_test(self, *, robust: bool = False) -> Result:
        """Test that all coefficients are 0 (the log-rank test for one binary term), chi-square."""
        from scipy.stats import chi2

        statistic = self.robust_score_statistic if robust else self.score_statistic
        return Result(
            method=f"Cox model, {'robust ' if robust else ''}score test, {self.ties} ties",
            statistic=statistic,
            p_value=float(chi2.sf(statistic, len(self.terms))),
            n=self.n,
            note="" if statistic == statistic else _NO_SPREAD,
            details={"df": len(self.terms), "n_events": self.n_events},
        )

    def result(self, term: str, *, robust: bool = False) -> Result:
        """Hazard ratio of one term, Wald interval and p; NaN with a note under monotone likelihood."""
        from scipy.stats import norm

        if term not in self.terms:
            raise StatisticsError("term", f"{term!r} is not among {list(self.terms)}")
        index = self.terms.index(term)
        kind = "robust (sandwich)" if robust else "model-based"
        common: dict[str, Any] = {
            "method": f"Cox hazard ratio, {self.ties} ties, Wald interval, {kind} variance",
            "n": self.n,
            "confidence": self.confidence,
            "note": self.note,
            "options": {"ties": self.ties, "robust": robust, "terms": self.terms},
        }
        if term in self.separated:
            return Result(**common, details={"n_events": self.n_events})
        coef = float(self.coefficients[index])
        covariance = self.robust_covariance if robust else self.covariance
        se = float(np.sqrt(covariance[index, index]))
        known = se > _ROUNDING
        half = float(norm.isf((1 - self.confidence) / 2)) * se if known else np.nan
        z = coef / se if known else np.nan
        common["note"] = self.note or ("" if known else _NO_SPREAD)
        return Result(
            **ratio_of_log(coef, half),
            p_value=float(2 * norm.sf(abs(z))),
            statistic=z,
            details={"coef": coef, "se": se, "n_events": self.n_events},
            **common,
        )


@dataclass(frozen=True)
class _AtRisk:
    """Who is at risk just before each of some times: the records in order, and the places of the times."""

    by_stop: Ints
    by_start: Ints
    upto: Ints
    since: Ints

    @classmethod
    def of(cls, start: Floats, stop: Floats, at: Floats) -> _AtRisk:
        by_stop, by_start = np.argsort(stop, kind="stable"), np.argsort(start, kind="stable")
        return cls(
            by_stop, by_start, np.searchsorted(stop[by_stop], at), np.searchsorted(start[by_start], at)
        )

    def sums(self, values: Floats) -> Floats:
        """Sum of the rows of `values` (n x k) over the records at risk, one row a time."""
        zero = np.zeros((1, values.shape[1]))
        later = np.vstack([zero, np.cumsum(values[self.by_stop][::-1], axis=0)])[::-1]
        unseen = np.vstack([zero, np.cumsum(values[self.by_start][::-1], axis=0)])[::-1]
        return np.asarray(later[self.upto] - unseen[self.since])


@dataclass(frozen=True)
class _RiskSets:
    """Event times and, for each tied death in turn, what of the tied weight has left the risk set."""

    at_risk: _AtRisk
    at: Floats
    index: Ints
    count: Ints
    block: Ints
    part: Floats
    mean_weight: Floats


def _risk_sets(data: Records, ties: str) -> _RiskSets:
    at, index, count = np.unique(data.stop[data.event], return_inverse=True, return_counts=True)
    block = np.repeat(np.arange(at.size), count)
    part = turns(count) / count[block] if ties == "efron" else np.zeros(block.size)
    weight = np.bincount(index, data.weight[data.event], at.size) / count
    at_risk = _AtRisk.of(data.start, data.stop, at)
    return _RiskSets(at_risk, at, index.astype(np.int64), count, block, part, weight[block])


def at_risk_sums(values: Floats, start: Floats, stop: Floats, at: Floats) -> Floats:
    """Sum of the rows of `values` (n x k) over the records at risk just before each time of `at`."""
    return _AtRisk.of(start, stop, at).sums(values)


@dataclass(frozen=True)
class _Moments:
    value: float
    gradient: Floats
    information: Floats
    denominator: Floats
    mean: Floats


def _moments(data: Records, design: Floats, sets: _RiskSets, beta: Floats) -> _Moments:
    size = design.shape[1]
    eta = design @ beta
    shift = float(eta.max())
    risk = data.weight * np.exp(eta - shift)
    outer = (design[:, :, None] * design[:, None, :]).reshape(-1, size * size)
    stacked = np.column_stack([np.ones(eta.size), design, outer]) * risk[:, None]
    tied = np.zeros((sets.at.size, stacked.shape[1]))
    np.add.at(tied, sets.index, stacked[data.event])
    sums = sets.at_risk.sums(stacked)[sets.block]
    sums = sums - sets.part[:, None] * tied[sets.block]
    mean = sums[:, 1 : size + 1] / sums[:, :1]
    second = (sums[:, size + 1 :] / sums[:, :1]).reshape(-1, size, size)
    spread = second - mean[:, :, None] * mean[:, None, :]
    chosen = (data.weight[:, None] * design)[data.event].sum(0)
    return _Moments(
        value=float(chosen @ beta - sets.mean_weight @ (np.log(sums[:, 0]) + shift)),
        gradient=chosen - sets.mean_weight @ mean,
        information=np.einsum("t,tjk->jk", sets.mean_weight, spread),
        # The denominator belongs to risks exp(eta), without the shift.
        denominator=sums[:, 0] * np.exp(shift),
        mean=mean,
    )


def _score_residuals(
    data: Records, design: Floats, sets: _RiskSets, beta: Floats, moments: _Moments
) -> Floats:
    """Weighted score residual of each record (R's `residuals(fit, "score", weighted = TRUE)`)."""
    hazard = sets.mean_weight / moments.denominator
    pieces = np.column_stack([hazard, hazard[:, None] * moments.mean])
    per_time = np.zeros((sets.at.size, pieces.shape[1]))
    np.add.at(per_time, sets.block, pieces)
    total = np.vstack([np.zeros((1, pieces.shape[1])), np.cumsum(per_time, axis=0)])
    upto = np.searchsorted(sets.at, data.stop, side="right")
    since = np.searchsorted(sets.at, data.start, side="right")
    seen = total[upto] - total[since]
    risk = np.exp(design @ beta)
    residual = -risk[:, None] * (seen[:, :1] * design - seen[:, 1:])
    removed = np.zeros((sets.at.size, pieces.shape[1]))
    np.add.at(removed, sets.block, sets.part[:, None] * pieces)
    mean = np.zeros((sets.at.size, design.shape[1]))
    np.add.at(mean, sets.block, moments.mean / sets.count[sets.block][:, None])
    x, own = design[data.event], removed[sets.index]
    residual[data.event] += x - mean[sets.index]
    residual[data.event] += risk[data.event][:, None] * (own[:, :1] * x - own[:, 1:])
    return np.asarray(data.weight[:, None] * residual)


def counting_process_cox(
    data: Records,
    design: Any,
    terms: Sequence[str],
    *,
    ties: Ties = "efron",
    confidence: float = 0.95,
) -> CountingFit:
    """Cox model on checked `records`, with case weights, Efron or Breslow ties and a sandwich by subject.

    `design` is an array of shape (records, terms) without missing values. Equals R's `coxph(Surv(start,
    stop, event) ~ ..., weights, cluster, robust = TRUE)`. Source of the variance: Lin & Wei 1989. Raises
    StatisticsError without events, for a covariate that is constant while anybody is at risk at an event,
    or for collinear covariates.
    """
    choice(ties, ("efron", "breslow"), "ties")
    level = confidence_level(confidence)
    columns = _checked_design(data, design, terms)
    keep = data.weight > 0
    data = Records(*(getattr(data, name)[keep] for name in ("start", "stop", "event", "weight", "cluster")))
    columns = columns[keep]
    if not data.event.any():
        raise StatisticsError("event", "no events")
    scale = columns.std(0)
    if (alike := np.ptp(columns, axis=0) == 0).any():
        raise StatisticsError("design", f"{terms[int(np.argmax(alike))]!r} does not vary")
    standard = (columns - columns.mean(0)) / scale
    sets = _risk_sets(data, ties)

    def likelihood(beta: Floats) -> tuple[float, Floats, Floats]:
        found = _moments(data, standard, sets, beta)
        return found.value, found.gradient, found.information

    zero = np.zeros(standard.shape[1])
    first = _moments(data, standard, sets, zero)
    tolerance = 1e-10 * max(float(first.information.max()), 1.0)
    if np.linalg.matrix_rank(first.information, tol=tolerance) < zero.size:
        raise StatisticsError("design", f"{list(terms)}: no information at the event times, or collinear")
    beta, value, information, converged = newton(likelihood, (first.value, first.gradient, first.information))
    endless = _endless(data, standard, beta, converged=converged)
    separated = tuple(t for t, f in zip(terms, endless, strict=True) if f)
    inverse = np.linalg.pinv(information)
    meat = _meat(data, standard, sets, beta, _moments(data, standard, sets, beta))
    null = _meat(data, standard, sets, zero, first)
    return CountingFit(
        terms=tuple(terms),
        coefficients=beta / scale,
        covariance=inverse / np.outer(scale, scale),
        robust_covariance=inverse @ meat @ inverse / np.outer(scale, scale),
        score_statistic=float(first.gradient @ np.linalg.solve(first.information, first.gradient)),
        robust_score_statistic=_robust_score(first.gradient, null, first.information),
        log_likelihood=value,
        n=data.subjects,
        n_events=int(data.event.sum()),
        ties=ties,
        confidence=level,
        separated=separated,
    )


def _robust_score(gradient: Floats, meat: Floats, information: Floats) -> float:
    """Score statistic with the robust variance; NaN where that is 0."""
    if np.abs(meat).max() <= _ROUNDING * np.abs(information).max():
        return float("nan")
    return float(gradient @ np.linalg.pinv(meat) @ gradient)


def _endless(data: Records, design: Floats, beta: Floats, *, converged: bool) -> Bools:
    """Which coefficients the likelihood drives to infinity.

    One covariate: exactly, if at every event nobody at risk has a higher (or a lower) value than those who
    have it. Several: those that a fit without a maximum has driven far out.
    """
    if design.shape[1] > 1:
        return np.asarray(~np.isfinite(beta) | (np.abs(beta) > 8) & (not converged))
    x = design[:, 0]
    steps = np.unique(x)
    at, index = np.unique(data.stop[data.event], return_inverse=True)
    own = np.searchsorted(steps, x[data.event])
    never_higher = never_lower = True
    # One cut between two values at a time: for the two arms that is one.
    for cut in range(1, steps.size):
        above = (x >= steps[cut]).astype(float)
        risk = at_risk_sums(np.column_stack([above, 1 - above]), data.start, data.stop, at)[index] > 0
        never_higher &= not (risk[:, 0] & (own < cut)).any()
        never_lower &= not (risk[:, 1] & (own >= cut)).any()
        if not (never_higher or never_lower):
            break
    return np.array([never_higher or never_lower])


def _meat(data: Records, design: Floats, sets: _RiskSets, beta: Floats, moments: _Moments) -> Floats:
    residual = _score_residuals(data, design, sets, beta, moments)
    codes = np.unique(data.cluster, return_inverse=True)[1]
    summed = np.zeros((int(codes.max()) + 1, design.shape[1]))
    np.add.at(summed, codes, residual)
    return np.asarray(summed.T @ summed)


def _checked_design(data: Records, design: Any, terms: Sequence[str]) -> Floats:
    columns = np.asarray(design, dtype=float)
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.shape != (data.stop.size, len(terms)):
        raise StatisticsError(
            "design", f"expected shape {(data.stop.size, len(terms))}, found {columns.shape}"
        )
    if not np.isfinite(columns).all():
        raise StatisticsError("design", "missing or infinite values")
    return columns
