"""Specification curve: one effect under every defensible choice, choices of analysis and assumptions of
design apart.

Sixteen tests of the same data agree because they share the same bias. Counting them with the design's
assumptions (lag, era, confounder) would drown the few that matter, so the two kinds are ranked and summed up
separately (Simonsohn, Simmons & Nelson 2020).

>>> results = {
...     "crude": Result(method="Cox", value=0.5, p_value=0.03),
...     "weighted": Result(method="Cox", value=0.7),
... }
>>> curve = specification_curve(
...     [Specification(name, "analytic", one) for name, one in results.items()]
... )
>>> curve[["name", "rank", "significant"]].values.tolist()
[['crude', 1.0, True], ['weighted', 2.0, None]]
>>> curve_summary(curve)[["specifications", "median", "tested"]].values.tolist()
[[2.0, 0.6, 1.0]]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from helpers.stats.checks import choice
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["analytic", "design"]


@dataclass(frozen=True)
class Specification:
    """One choice: its `name`, its `kind`, its `result` (a ratio), and the settings that define it."""

    name: str
    kind: Kind
    result: Result
    choices: Mapping[str, str] = field(default_factory=dict)


def specification_curve(specifications: Sequence[Specification], *, alpha: float = 0.05) -> pd.DataFrame:
    """Rows of the curve: kind, rank (by estimate within the kind), name, value, lower, upper, p_value,
    significant, note, and one column for each setting that any specification names.

    Those without an estimate come last, without rank, with their reason. Raises StatisticsError for repeated
    names.
    """
    import pandas as pd

    names = [s.name for s in specifications]
    if len(set(names)) != len(names):
        raise StatisticsError("specifications", "a name is repeated")
    settings = sorted({key for s in specifications for key in s.choices})
    rows = []
    for s in specifications:
        choice(s.kind, ("analytic", "design"), "kind")
        r = s.result
        row: dict[str, object] = {"kind": s.kind, "name": s.name, "value": r.value}
        row |= {"lower": r.lower, "upper": r.upper, "p_value": r.p_value}
        row["significant"] = None if np.isnan(r.p_value) else bool(r.p_value < alpha)
        rows.append(row | {"note": r.note} | {key: s.choices.get(key, "") for key in settings})
    columns = ["kind", "name", "value", "lower", "upper", "p_value", "significant", "note", *settings]
    frame = pd.DataFrame(rows, columns=columns)
    frame = frame.sort_values(["kind", "value", "name"], kind="stable", na_position="last", ignore_index=True)
    frame.insert(1, "rank", frame.groupby("kind")["value"].rank(method="first"))
    return frame


def curve_summary(curve: pd.DataFrame) -> pd.DataFrame:
    """One row a kind: kind, specifications, estimated, median, smallest, largest, significant (how many of
    those with a p-value), tested."""
    import pandas as pd

    rows = []
    for kind, part in curve.groupby("kind", sort=True):
        value = part["value"].dropna()
        tested = part["significant"].dropna()
        rows.append(
            {
                "kind": kind,
                "specifications": len(part),
                "estimated": len(value),
                "median": float(value.median()) if len(value) else float("nan"),
                "smallest": float(value.min()) if len(value) else float("nan"),
                "largest": float(value.max()) if len(value) else float("nan"),
                "significant": int(tested.astype(bool).sum()),
                "tested": len(tested),
            }
        )
    return pd.DataFrame(rows)
