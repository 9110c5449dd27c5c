"""Pointwise limits for a survival curve: transforms of Greenwood's variance, and the beta-product bounds."""

from __future__ import annotations

import numpy as np

from helpers.stats.checks import Bools, Floats

INTERVALS = ("log-log", "log", "plain", "arcsine", "beta-product")


def greenwood_limits(survival: Floats, log_variance: Floats, kind: str, z: float) -> tuple[Floats, Floats]:
    """Limits of S from the variance of log S (Greenwood), as R's `survfit`; NaN where S is 0 or 1.

    `kind`: plain (S +- z se), log, log-log (Kalbfleisch & Prentice), arcsine (arcsine of the square root).

    >>> low, high = greenwood_limits(np.array([0.5, 1.0]), np.array([0.04, 0.0]), "plain", 1.96)
    >>> low.round(3).tolist(), high.round(3).tolist()  # 0.5 less and plus 1.96 x 0.5 x 0.2
    ([0.304, nan], [0.696, nan])
    """
    inside = (survival > 0) & (survival < 1)
    s = np.where(inside, survival, 0.5)
    se = np.sqrt(np.where(inside, log_variance, 1.0))
    if kind == "plain":
        lower, upper = s - z * se * s, s + z * se * s
    elif kind == "log":
        lower, upper = s * np.exp(-z * se), s * np.exp(z * se)
    elif kind == "log-log":
        width = z * se / np.log(s)
        base = np.log(-np.log(s))
        lower, upper = np.exp(-np.exp(base - width)), np.exp(-np.exp(base + width))
    else:
        half = 0.5 * z * se * np.sqrt(s / (1 - s))
        angle = np.arcsin(np.sqrt(s))
        lower = np.sin(np.maximum(angle - half, 0)) ** 2
        upper = np.sin(np.minimum(angle + half, np.pi / 2)) ** 2
    lower, upper = np.clip(lower, 0, 1), np.clip(upper, 0, 1)
    return np.where(inside, lower, np.nan), np.where(inside, upper, np.nan)


def beta_product_limits(
    n_risk: Floats, n_event: Floats, known_alive: Floats, level: float, rows: Bools | None = None
) -> tuple[Floats, Floats]:
    """Beta-product limits of S after each time (Fay, Brittain & Proschan 2013, method of moments).

    Upper: quantile of the product of Beta(Y - d + 1, d) over the event times so far; lower: the same product
    times Beta(Y+, 1), Y+ = `known_alive`, the number known to have survived the time (those censored exactly
    then included, so that without earlier censoring the limits are exactly Clopper-Pearson). Valid with no
    event at all. Each product is replaced by the beta distribution with its first two moments. Given `rows`,
    limits of these rows only are returned.

    >>> low, high = beta_product_limits(np.array([20.0]), np.array([3.0]), np.array([17.0]), 0.95)
    >>> low.round(3).tolist(), high.round(3).tolist()  # Clopper-Pearson of 17 in 20
    ([0.621], [0.968])
    """
    from scipy.special import betaincinv

    a, b = n_risk - n_event + 1, n_event
    log_mean = np.cumsum(np.log(a / (a + b)))
    log_square = np.cumsum(np.log(a * (a + 1) / ((a + b) * (a + b + 1))))
    tail = (1 - level) / 2
    some, y = np.cumsum(n_event) > 0, known_alive
    if rows is not None:
        log_mean, log_square, some, y = log_mean[rows], log_square[rows], some[rows], y[rows]
    upper, lower = np.ones(y.size), np.zeros(y.size)
    upper[some] = betaincinv(*_moment_match(log_mean[some], log_square[some]), 1 - tail)
    before = ~some & (y > 0)
    lower[before] = tail ** (1 / y[before])
    left = some & (y > 0)
    y = y[left]
    matched = _moment_match(log_mean[left] + np.log(y / (y + 1)), log_square[left] + np.log(y / (y + 2)))
    lower[left] = betaincinv(*matched, tail)
    return lower, upper


def _moment_match(log_mean: Floats, log_square: Floats) -> tuple[Floats, Floats]:
    mean, square = np.exp(log_mean), np.exp(log_square)
    variance = square - mean**2
    size = mean * (1 - mean) / variance - 1
    return mean * size, (1 - mean) * size
