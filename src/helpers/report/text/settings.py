"""What settings declare, by key: ``follow_up.horizon_days``, ``parameters.seed``, ``software.numpy``."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from helpers.errors import CompendiumError
from helpers.report.text.wording import plain_method
from helpers.results.catalogue import EffectRows, EndpointRows

if TYPE_CHECKING:
    from helpers.report.text.claims import Material


class UnknownSettingError(CompendiumError):
    """A key that neither the configuration nor the run's parameters declare."""


def setting_text(key: str, material: Material) -> str:
    """Return what a key declares, as text.

    Keys: those of ``cohort.toml`` with dots (``group.ID.label`` and ``visit.ID.label`` by id),
    ``endpoint.ID.horizon``,
    ``parameters.NAME``, ``software.NAME``, ``significance_level`` and ``rows.effect`` (with ``.below``,
    ``.above`` and ``.methods``), the number of p-values and of methods.

    Raises:
        UnknownSettingError: nothing declares the key.

    >>> setting_text("follow_up.horizon_days", material), setting_text("significance_level", material)
    ('56', '0.05')
    """
    room, _, name = key.partition(".")
    if room == "parameters":
        return _parameter(name, material)
    if room == "software":
        return _version(name)
    if key == "significance_level":
        return f"{material.alpha:g}"
    if room == "rows":
        return _count(name, material)
    return _configured(key, material)


def _parameter(name: str, material: Material) -> str:
    if name == "confidence":
        return f"{100 * material.confidence:g}%"
    if name == "horizon_days":
        return f"{material.horizon_days:g}"
    if name not in material.parameters:
        raise UnknownSettingError(f"the run has no parameter {name}")
    return str(material.parameters[name])


def _version(name: str) -> str:
    if name == "python":
        return ".".join(platform.python_version_tuple()[:2])
    try:
        return version(name)
    except PackageNotFoundError:
        raise UnknownSettingError(f"the package {name} is not installed") from None


def _count(name: str, material: Material) -> str:
    every = material.statistics.select(EffectRows)
    rows = [row for row in every if row.p_value == row.p_value]
    below = sum(row.p_value < material.alpha for row in rows)
    counts = {"effect": len(rows), "effect.below": below, "effect.above": len(rows) - below}
    counts["effect.methods"] = len({plain_method(row.method) for row in every})
    if name not in counts:
        raise UnknownSettingError(f"nothing counts rows.{name}")
    return str(counts[name])


def _configured(key: str, material: Material) -> str:
    found: Any = material.config
    parts = key.split(".")
    if parts[0] == "exclusion":
        return str(len(material.config.exclusions))
    if parts[0] == "endpoint":
        rows = material.statistics.select(EndpointRows.events, variable=parts[1])
        if parts[2:] != ["horizon"] or not rows:
            raise UnknownSettingError(f"no endpoint has {key}")
        return rows[0].timepoint.removeprefix("day_")
    if parts[0] in {"group", "visit"} and len(parts) == 3:
        try:
            found = getattr(material.config, parts[0])(parts[1])
        except KeyError as error:
            raise UnknownSettingError(error.args[0]) from None
        parts = parts[2:]
    for part in parts:
        if not hasattr(found, part):
            raise UnknownSettingError(f"cohort.toml has no setting {key}")
        found = getattr(found, part)
    return f"{found:g}" if isinstance(found, float) else str(found)
