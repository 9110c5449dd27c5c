"""Partial likelihoods of the Cox model: Efron and Breslow by risk-set moments, exact by recursion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from helpers.stats.checks import Bools, Floats, Ints

Likelihood = Callable[[Floats], tuple[float, Floats, Floats]]


# Numbers of the design taken at once: a block stays in the processor's cache, whatever the number of rows.
_CELLS = 100_000
# From this many subjects an event time on, a stretch is long.
_LONG = 16


def event_blocks(times: Floats, events: Bools) -> tuple[Floats, Ints, Floats]:
    """Distinct event times, index into them of each event (ordered by subject), and events at each.

    >>> times, index, count = event_blocks(np.array([3.0, 5.0, 5.0]), np.array([True, True, True]))
    >>> times.tolist(), index.tolist(), count.tolist()
    ([3.0, 5.0], [0, 1, 1], [1.0, 2.0])
    """
    at, index = np.unique(times[events], return_inverse=True)
    return at, index.astype(np.int64), np.bincount(index, minlength=at.size).astype(float)


@dataclass(frozen=True)
class RiskMoments:
    """Moments of the covariates over the risk sets, summed over the events.

    Attributes:
        log_denominator: sum over all events of the logarithm of the risk set's total risk.
        score: weighted sum over all events of covariate less risk-set mean, one row for each row of weights.
        information: variance of the covariates within the risk sets summed over the events, one matrix for
            each row of weights.
    """

    log_denominator: float
    score: Floats
    information: Floats


@dataclass(frozen=True)
class _Sums:
    """Sums over the events of each time, of powers of 1/total risk and of the share of the tied removed.

    `first` and `second` are of 1/total and its square, one an event time; `part`, `cross` and `square` of
    share/total, share/total^2 and share^2/total^2, one a time with tied events.
    """

    log_total: float
    first: Floats
    second: Floats
    part: Floats
    cross: Floats
    square: Floats


class RiskSets:
    """Who is at risk at each event time, ready for the moments of any coefficients.

    With Efron's rule the risk set of d tied events is averaged over removing 0/d, 1/d, ... of the tied
    weight; Breslow's removes none.

    The variances within the risk sets are never built. Their sum is the second moments' less that of the
    squared means, and a subject's square stands in the second moments of all risk sets that it belongs to: so
    one product of matrices gives their sum, each subject weighted by its risk times the hazard summed over
    the event times that it reaches. The same weights give the sum of the means. Under Efron's rule the mean
    is (s - p t)/(r - p q) with the covariates summed over those at risk (s) and over the tied (t), so that
    the sums over the tied events need powers of 1/(r - p q) alone, which have no covariates. That takes time
    in proportion to subjects x covariates squared and memory in proportion to subjects x covariates.

    Attributes:
        time: distinct event times, the latest first.
        deaths: number of events at each.
        at_risk: number at risk at each.

    >>> sets = RiskSets(np.array([3.0, 5.0]), np.array([True, False]), np.array([[0.0], [1.0]]), "efron")
    >>> found = sets.moments(np.zeros(1))
    >>> found.score.tolist(), found.information.ravel().tolist()  # 0 - 1/2, and 1/4
    ([[-0.5]], [0.25])
    """

    def __init__(self, times: Floats, events: Bools, design: Floats, ties: str) -> None:
        order = np.argsort(-times, kind="stable")
        falling = times[order]
        ends = np.append(np.flatnonzero(falling[1:] != falling[:-1]) + 1, times.size)
        run = np.repeat(np.arange(ends.size), np.diff(ends, prepend=0))
        deaths = np.bincount(run[events[order]], minlength=ends.size)
        self.at_risk, self.deaths = ends[deaths > 0], deaths[deaths > 0]
        self.time = falling[self.at_risk - 1]
        # Whoever leaves before the first event is in no risk set.
        order = order[: self.at_risk[-1]]
        self._x = np.take(design.T, order, axis=1)
        # Of each subject the latest event time that it is at risk at: a risk set adds those after the last.
        self._reach = np.repeat(np.arange(self.time.size), np.diff(self.at_risk, prepend=0))
        self._rows = np.flatnonzero(events[order])
        self._count = self.deaths.astype(float)
        # Sums over few long stretches are faster by stretch, over many short ones as running sums.
        self._long = order.size > _LONG * self.time.size
        self._tied = np.flatnonzero(self.deaths > 1) if ties == "efron" else np.zeros(0, dtype=np.int64)
        among = np.zeros(self.time.size, dtype=bool)
        among[self._tied] = True
        self._tied_rows = self._rows[np.repeat(among, self.deaths)]
        each = self.deaths[self._tied]
        self._tied_starts = np.cumsum(each) - each
        place = np.arange(self._tied_rows.size) - np.repeat(self._tied_starts, each)
        self._part = place / np.repeat(each, each)
        self._tied_x = np.take(self._x, self._tied_rows, axis=1)
        self._blocks = list(self._divided())

    def moments(self, beta: Floats, weights: Floats | None = None) -> RiskMoments:
        """Moments under the coefficients `beta`; `weights` (rows x event times) default to one row of 1."""
        eta = beta @ self._x
        shift = float(eta.max())
        risk = np.exp(eta - shift)
        own = risk[self._tied_rows]
        sums, tied = self._event_sums(risk, own), self._over_tied(self._tied_x * own)
        asked = np.ones((1, self.time.size)) if weights is None else weights
        shares = [self._share(risk, own, sums, row) for row in asked]
        spread = self._spread(risk, shares, sums, tied, asked)
        return RiskMoments(
            log_denominator=sums.log_total + shift * self._rows.size,
            score=np.stack([self._score(row, share) for row, share in zip(asked, shares, strict=True)]),
            information=(spread + spread.transpose(0, 2, 1)) / 2,
        )

    def _score(self, weight: Floats, share: Floats) -> Floats:
        gap = -share
        gap[self._rows] += np.repeat(weight, self.deaths)
        return np.asarray(self._x @ gap)

    def _over_tied(self, values: Floats) -> Floats:
        """Sums over the events of each time that has tied ones."""
        if self._tied.size == 0:
            return values
        return np.asarray(np.add.reduceat(values, self._tied_starts, axis=-1))

    def _event_sums(self, risk: Floats, own: Floats) -> _Sums:
        total = np.cumsum(risk)[self.at_risk - 1]
        first, second = self._count / total, self._count / total**2
        if self._tied.size == 0:
            return _Sums(float(self._count @ np.log(total)), first, second, own, own, own)
        each = self.deaths[self._tied]
        left = np.repeat(total[self._tied], each) - self._part * np.repeat(self._over_tied(own), each)
        logs = self._count @ np.log(total) - self._count[self._tied] @ np.log(total[self._tied])
        inverse = 1 / left
        first[self._tied], second[self._tied] = self._over_tied(inverse), self._over_tied(inverse**2)
        removed = self._part * inverse
        return _Sums(
            float(logs + np.log(left).sum()),
            first,
            second,
            self._over_tied(removed),
            self._over_tied(removed * inverse),
            self._over_tied(removed**2),
        )

    def _share(self, risk: Floats, own: Floats, sums: _Sums, weight: Floats) -> Floats:
        """Weight of each subject in the sums of the means and of the second moments."""
        # Summed from the earliest event time on, so that a subject finds what it has lived through.
        lived = np.cumsum((weight * sums.first)[::-1])[::-1]
        share = risk * lived[self._reach]
        if self._tied.size:
            removed = np.repeat(weight[self._tied] * sums.part, self.deaths[self._tied])
            share[self._tied_rows] -= own * removed
        return np.asarray(share)

    def _divided(self) -> Iterator[tuple[slice, slice, slice]]:
        """Stretches of subjects with the event times that they complete, and which of these have tied events.

        A stretch ends where a risk set does.
        """
        step, row, event = max(1, _CELLS // self._x.shape[0]), 0, 0
        while event < self.time.size:
            last = max(int(np.searchsorted(self.at_risk, row + step, side="right")), event + 1)
            among = slice(*np.searchsorted(self._tied, [event, last]).tolist())
            yield slice(row, int(self.at_risk[last - 1])), slice(event, last), among
            row, event = int(self.at_risk[last - 1]), last

    def _spread(self, risk: Floats, shares: list[Floats], sums: _Sums, tied: Floats, asked: Floats) -> Floats:
        size = self._x.shape[0]
        spread = np.zeros((len(shares), size, size))
        carried = np.zeros((size, 1))
        for rows, times, among in self._blocks:
            x = self._x[:, rows]
            # Sum of risk times covariate over those at risk at each event time, covariates x event times.
            at_risk = self._running(x * risk[rows], rows, times)
            at_risk += carried
            carried = at_risk[:, -1:].copy()
            own, removed = self._tied[among], tied[:, among]
            both = at_risk[:, own - times.start]
            for found, share, weight in zip(spread, shares, asked, strict=True):
                found += (x * share[rows]) @ x.T
                found -= (at_risk * (weight[times] * sums.second[times])) @ at_risk.T
                if own.size:
                    found += 2 * (both * (weight[own] * sums.cross[among])) @ removed.T
                    found -= (removed * (weight[own] * sums.square[among])) @ removed.T
        return spread

    def _running(self, values: Floats, rows: slice, times: slice) -> Floats:
        """Running sums of a stretch of subjects up to each of its event times."""
        ends = self.at_risk[times] - rows.start
        if self._long:
            starts = np.concatenate(([0], ends[:-1]))
            return np.asarray(np.cumsum(np.add.reduceat(values, starts, axis=1), axis=1))
        return np.asarray(np.take(np.cumsum(values, axis=1, out=values), ends - 1, axis=1))


def moment_likelihood(times: Floats, events: Bools, design: Floats, ties: str) -> Likelihood:
    """Efron or Breslow log partial likelihood with its gradient and information, as a function of beta.

    >>> times, events = np.array([3.0, 5.0]), np.array([True, False])
    >>> value = moment_likelihood(times, events, np.array([[0.0], [1.0]]), "efron")
    >>> round(float(value(np.zeros(1))[0]), 4)  # log(1/2)
    -0.6931
    """
    chosen = events.astype(float) @ design
    sets = RiskSets(times, events, design, ties)

    def likelihood(beta: Floats) -> tuple[float, Floats, Floats]:
        moments = sets.moments(beta)
        value = float(chosen @ beta) - moments.log_denominator
        return value, moments.score[0], moments.information[0]

    return likelihood


def exact_likelihood(times: Floats, events: Bools, design: Floats) -> Likelihood:
    """Discrete logistic ("exact") log partial likelihood with gradient and information.

    At each event time with d events among n at risk the denominator is the elementary symmetric polynomial of
    order d of the risks, built by the recursion of Gail, Lubin & Rubinstein (1981); its first two derivatives
    in beta are carried along in the same recursion.

    >>> times, events = np.array([3.0, 3.0, 5.0]), np.array([True, True, False])
    >>> value = exact_likelihood(times, events, np.array([[0.0], [1.0], [0.0]]))
    >>> round(float(value(np.zeros(1))[0]), 4)  # one of three pairs: log(1/3)
    -1.0986
    """
    at, _, deaths = event_blocks(times, events)
    sets = [
        (design[times >= t], int(d), design[events & (times == t)].sum(0))
        for t, d in zip(at, deaths, strict=True)
    ]

    def likelihood(beta: Floats) -> tuple[float, Floats, Floats]:
        size = beta.size
        value, gradient, information = 0.0, np.zeros(size), np.zeros((size, size))
        for members, count, chosen in sets:
            log_sum, mean, spread = _symmetric_moments(members, count, beta)
            value += float(chosen @ beta) - log_sum
            gradient += chosen - mean
            information += spread
        return value, gradient, information

    return likelihood


def _symmetric_moments(members: Floats, count: int, beta: Floats) -> tuple[float, Floats, Floats]:
    """Log of the order-`count` elementary symmetric polynomial of the risks, and mean and variance of the
    sum."""
    eta = members @ beta
    shift = float(eta.max())
    risk = np.exp(eta - shift)
    size = beta.size
    if count == 1:
        total = float(risk.sum())
        centre = risk @ members / total
        return (
            float(np.log(total)) + shift,
            centre,
            (members * risk[:, None]).T @ members / total - np.outer(centre, centre),
        )
    zeroth = np.zeros(count + 1)
    first = np.zeros((count + 1, size))
    second = np.zeros((count + 1, size, size))
    zeroth[0] = 1.0
    log_scale = 0.0
    for r, x in zip(risk, members, strict=True):
        xx = np.outer(x, x)
        moved = first[:-1, :, None] * x
        second[1:] += r * (second[:-1] + moved + moved.transpose(0, 2, 1) + zeroth[:-1, None, None] * xx)
        first[1:] += r * (first[:-1] + zeroth[:-1, None] * x)
        zeroth[1:] += r * zeroth[:-1]
        largest = float(zeroth.max())
        if largest > 1e100:
            zeroth, first, second = zeroth / largest, first / largest, second / largest
            log_scale += float(np.log(largest))
    mean = first[count] / zeroth[count]
    spread = second[count] / zeroth[count] - np.outer(mean, mean)
    return float(np.log(zeroth[count])) + log_scale + count * shift, mean, spread
