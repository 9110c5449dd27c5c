"""Unconditional exact tests of two proportions with both group sizes fixed (Barnard 1945, Boschloo 1970).

Own because SciPy's global optimiser can stop at a local maximum of the size over the common rate, which makes
the p-value too small (1/20 v 8/21 by Barnard: 0.0116109 instead of 0.0116127).
"""

from __future__ import annotations

import numpy as np

from helpers.stats.checks import Bools, Floats
from helpers.stats.result import StatisticsError

_GRID = 1001
_LARGEST = 1500


def barnard_p(a: int, n1: int, b: int, n2: int) -> tuple[float, float]:
    """Two-sided p of a/n1 v b/n2 and the pooled Wald statistic; tables at least as far by |z| are extreme."""
    _feasible(n1, n2)
    x, y = np.arange(n1 + 1)[:, None], np.arange(n2 + 1)[None, :]
    pooled = (x + y) / (n1 + n2)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    z = np.divide(x / n1 - y / n2, spread, out=np.zeros_like(spread), where=spread > 0)
    return _supremum(np.abs(z) >= abs(z[a, b]) - 1e-9, n1, n2), float(z[a, b])


def boschloo_p(a: int, n1: int, b: int, n2: int) -> tuple[float, float]:
    """Two-sided p of a/n1 v b/n2, twice the smaller one-sided p, and the smaller one-sided Fisher p."""
    from scipy.stats import hypergeom

    _feasible(n1, n2)
    x, y = np.arange(n1 + 1)[:, None], np.arange(n2 + 1)[None, :]
    fisher = [
        np.asarray(hypergeom.cdf(x, n1 + n2, x + y, n1), dtype=float),
        np.asarray(hypergeom.sf(x - 1, n1 + n2, x + y, n1), dtype=float),
    ]
    sides = [_supremum(f <= f[a, b] * (1 + 1e-7), n1, n2) for f in fisher]
    return min(2 * min(sides), 1.0), float(min(f[a, b] for f in fisher))


def _feasible(n1: int, n2: int) -> None:
    if max(n1, n2) > _LARGEST:
        raise StatisticsError(
            "rule", f"unconditional tests are meant for groups up to {_LARGEST}, found {n1} and {n2}"
        )


def _size(rates: Floats, extreme: Bools, n1: int, n2: int) -> Floats:
    """Probability of the extreme tables at each common rate."""
    return np.asarray(((_binomial(rates, n1) @ extreme.astype(float)) * _binomial(rates, n2)).sum(1))


def _binomial(rates: Floats, n: int) -> Floats:
    """Binomial probabilities, one row a rate (several times faster than `scipy.stats.binom.pmf`)."""
    from scipy.special import gammaln, xlog1py, xlogy

    k = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.asarray(np.exp(ways + xlogy(k, rates[:, None]) + xlog1py(n - k, -rates[:, None])))


def _supremum(extreme: Bools, n1: int, n2: int) -> float:
    """Largest size over the common rate: dense grid, then finer grids around its best local maxima."""
    # Evenly spaced on the arcsine scale, where the size varies evenly.
    rates = np.sin(np.linspace(0, np.pi / 2, _GRID)) ** 2
    size = _size(rates, extreme, n1, n2)
    peaks = np.flatnonzero((size >= np.roll(size, 1)) & (size >= np.roll(size, -1)))
    best = peaks[np.argsort(-size[peaks])[:5]]
    low, high = rates[np.maximum(best - 1, 0)], rates[np.minimum(best + 1, _GRID - 1)]
    top = float(size.max())
    # Each round narrows the bracket twentyfold; the size is flat at its maximum, so three rounds give 1e-12.
    for _ in range(3):
        finer = low + (high - low) * np.linspace(0, 1, 41)[:, None]
        values = _size(finer.ravel(), extreme, n1, n2).reshape(finer.shape)
        top = max(top, float(values.max()))
        row, column = values.argmax(0), np.arange(best.size)
        low, high = finer[np.maximum(row - 1, 0), column], finer[np.minimum(row + 1, 40), column]
    return min(top, 1.0)
