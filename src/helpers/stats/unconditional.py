"""Unconditional exact tests of two proportions with both group sizes fixed (Barnard 1945, Boschloo 1970).

Own because SciPy's global optimiser can stop at a local maximum of the size over the common rate, which makes
the p-value too small (1/20 v 8/21 by Barnard: 0.0116109 instead of 0.0116127).

For each count of the first group the extreme counts of the second are those up to one count and those from
another one on, because both statistics fall as the second count rises (Barnard's convexity; Roehmel &
Mansmann 1999). The size of a test is then a sum over the first count only, which serves groups of any size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.stats.checks import Bools, Floats, Ints
from helpers.stats.fisher_tables import TIE

_GRID = 1001
# Binomial probabilities held at once.
_CELLS = 4_000_000


@dataclass(frozen=True)
class _Extreme:
    """Extreme tables: for each count of the first group, those of the second up to `most`, from `least`."""

    n1: int
    n2: int
    most: Ints
    least: Ints


def barnard_p(a: int, n1: int, b: int, n2: int) -> tuple[float, float]:
    """Two-sided p of a/n1 v b/n2 and the pooled Wald statistic z; tables of a z at least as far count.

    >>> p, z = barnard_p(0, 3, 3, 3)
    >>> round(p, 4), round(abs(z), 2)  # 2 of 64 equally likely outcomes at a risk of 1/2
    (0.0313, 2.45)
    """

    def z(x: Ints, y: Ints) -> Floats:
        pooled = (x + y) / (n1 + n2)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
        return np.divide(x / n1 - y / n2, spread, out=np.zeros(x.size), where=spread > 0)

    observed = float(z(np.array([a]), np.array([b]))[0])
    far = abs(observed) - 1e-9
    if far <= 0:
        return 1.0, observed
    most = _last(lambda x, y: z(x, y) >= far, n1, n2)
    least = _last(lambda x, y: z(x, y) > -far, n1, n2) + 1
    return _supremum(_Extreme(n1, n2, most, least)), observed


def boschloo_p(a: int, n1: int, b: int, n2: int) -> tuple[float, float]:
    """Two-sided p of a/n1 v b/n2, twice the smaller one-sided p, and the smaller one-sided Fisher p.

    >>> p, fisher = boschloo_p(0, 3, 3, 3)
    >>> round(p, 4), round(fisher, 3)
    (0.0313, 0.05)
    """
    from scipy.stats import hypergeom

    def less(x: Ints, y: Ints) -> Floats:
        return np.asarray(hypergeom.cdf(x, n1 + n2, x + y, n1), dtype=float)

    def greater(x: Ints, y: Ints) -> Floats:
        return np.asarray(hypergeom.sf(x - 1, n1 + n2, x + y, n1), dtype=float)

    here = np.array([a]), np.array([b])
    low, high = float(less(*here)[0]), float(greater(*here)[0])
    none, all_ = np.full(n1 + 1, -1), np.full(n1 + 1, n2 + 1)
    least = _last(lambda x, y: less(x, y) > low * TIE, n1, n2) + 1
    most = _last(lambda x, y: greater(x, y) <= high * TIE, n1, n2)
    sides = [_supremum(_Extreme(n1, n2, none, least)), _supremum(_Extreme(n1, n2, most, all_))]
    return min(2 * min(sides), 1.0), min(low, high)


def _last(holds: Callable[[Ints, Ints], Bools], n1: int, n2: int) -> Ints:
    """For each x in 0..n1 the largest y in 0..n2 at which a falling condition still holds; -1 if at none."""
    x = np.arange(n1 + 1)
    low, high = np.full(n1 + 1, -1), np.full(n1 + 1, n2 + 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        held = holds(x, np.clip(middle, 0, n2))
        low, high = (
            np.where(held, np.maximum(low, middle), low),
            np.where(held, high, np.minimum(high, middle)),
        )
    return low


def _size(rates: Floats, extreme: _Extreme) -> Floats:
    """Probability of the extreme tables at each common rate."""
    return np.concatenate(
        [_size_of_block(block, extreme) for block in np.array_split(rates, _blocks(rates.size, extreme))]
    )


def _blocks(count: int, extreme: _Extreme) -> int:
    return max(1, -(-count * (extreme.n1 + extreme.n2) // _CELLS))


def _size_of_block(rates: Floats, extreme: _Extreme) -> Floats:
    second = _binomial(rates, extreme.n2)
    edge = np.zeros((rates.size, 1))
    up_to = np.hstack([edge, np.cumsum(second, axis=1)])[:, extreme.most + 1]
    onwards = np.hstack([np.cumsum(second[:, ::-1], axis=1)[:, ::-1], edge, edge])[:, extreme.least]
    return np.asarray((_binomial(rates, extreme.n1) * (up_to + onwards)).sum(1))


def _binomial(rates: Floats, n: int) -> Floats:
    """Binomial probabilities, one row a rate (several times faster than `scipy.stats.binom.pmf`)."""
    from scipy.special import gammaln, xlog1py, xlogy

    k = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.asarray(np.exp(ways + xlogy(k, rates[:, None]) + xlog1py(n - k, -rates[:, None])))


def _supremum(extreme: _Extreme) -> float:
    """Largest size over the common rate: dense grid, then finer grids around its best local maxima."""
    # Evenly spaced on the arcsine scale, where the size varies evenly.
    rates = np.sin(np.linspace(0, np.pi / 2, _GRID)) ** 2
    size = _size(rates, extreme)
    peaks = np.flatnonzero((size >= np.roll(size, 1)) & (size >= np.roll(size, -1)))
    best = peaks[np.argsort(-size[peaks], kind="stable")[:5]]
    low, high = rates[np.maximum(best - 1, 0)], rates[np.minimum(best + 1, _GRID - 1)]
    top = float(size.max())
    # Each round narrows the bracket twentyfold; the size is flat at its maximum, so three rounds give 1e-12.
    for _ in range(3):
        finer = low + (high - low) * np.linspace(0, 1, 41)[:, None]
        values = _size(finer.ravel(), extreme).reshape(finer.shape)
        top = max(top, float(values.max()))
        row, column = values.argmax(0), np.arange(best.size)
        low, high = finer[np.maximum(row - 1, 0), column], finer[np.minimum(row + 1, 40), column]
    return min(top, 1.0)
