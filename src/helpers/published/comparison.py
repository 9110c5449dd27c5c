"""Every printed number of a publication beside the value that the stored statistics give for it.

The recomputed value comes from the statistics store, never from the ledger. Counts must be exact; other
numbers agree when they are printed alike to the printed digits, by rounding halves up or to even. Where the
publication contradicts itself both values are shown, and the recomputed one must agree with one side.

>>> ledger = open_ledger("rdmas_2025")
>>> found = compare_with_paper(statistics, config, ledger, constrained_rows(config))
>>> count_verdicts(found)["constrained"]
253
>>> found[["id", "printed", "verdict"]].iloc[0].tolist()
['A01', 'approximately 30%', 'not computable']
>>> import tempfile
>>> write_comparison(found, Path(tempfile.mkdtemp()) / "comparison.csv").name
'comparison.csv'
>>> store_verdicts(found, store)
>>> store_findings(pd.DataFrame({"kind": ["note"]}), store)
>>> answer_to(ledger.to_dict("records")[0], statistics, config).answered_by
''
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.published.declared import declared_value
from helpers.published.ledger import LINK_COLUMNS, default_ledger_path, read_ledger
from helpers.published.printing import (
    FALL_OF_PRINTED,
    Agreement,
    agree_date,
    agree_fall,
    agree_numbers,
    agree_p_value,
    agree_share,
    is_share,
)
from helpers.results.format import format_p
from helpers.results.store import slug

if TYPE_CHECKING:
    import pandas as pd

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics, StatisticsStore

ANALYSIS, AUDIT = "published", "published_audit"
FINDING_KINDS = ("contradiction", "tension", "note")
CONSTRAINED, FOLLOWS, DECLARED = "constrained", "follows", "declared"
CONTRADICTED, NOT_COMPUTABLE, DIFFERS = "contradicted", "not computable", "differs"
VERDICTS = (CONSTRAINED, FOLLOWS, DECLARED, CONTRADICTED, NOT_COMPUTABLE, DIFFERS)
AGREE = (CONSTRAINED, FOLLOWS, DECLARED)
MARKS = ("by a proxy", "under an assumed cut-off")
COLUMNS = (
    "id", "section", "quantity", "group", "timepoint", "printed", "recomputed", "answered_by", "verdict",
    "mark", "reason",
)  # fmt: skip
SEPARATOR = "|"
_ABSENT = "absent"
Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What the cohort says to one printed row: its value in the printed form, or why there is none."""

    agreement: Agreement | None
    answered_by: str = ""
    reason: str = ""


def open_ledger(name: str | None) -> pd.DataFrame | None:
    """Return the ledger of this name in ``data/published``; None for a cohort that names none."""
    return None if name is None else read_ledger(default_ledger_path(name))


def constrained_rows(config: CohortConfig) -> frozenset[str]:
    """Return the rows of its ledger that a reconstructed cohort was made to meet; none for one of patients.

    They are listed in `data/published/LEDGER_constrained.csv`, as the reconstruction has them.
    """
    import pandas as pd

    if config.ledger is None or config.provenance != "reconstructed":
        return frozenset()
    path = default_ledger_path(f"{config.ledger}_constrained")
    return frozenset(pd.read_csv(path, dtype=str)["id"]) if path.is_file() else frozenset()


def compare_with_paper(
    statistics: Statistics,
    config: CohortConfig,
    ledger: pd.DataFrame | None,
    constrained: Collection[str] = (),
) -> pd.DataFrame:
    """Compare every row of a ledger with the statistic or setting that answers to it.

    Args:
        statistics: the cohort's stored statistics.
        config: its configuration, for what is declared.
        ledger: the printed values, as `read_ledger` returns them; None gives a table without rows.
        constrained: ids of those that the cohort was made to meet.

    Returns:
        One row a printed value, columns `COLUMNS`. verdict: constrained (a statistic agrees, and the cohort
        was made to meet the value), follows (a statistic agrees), declared (a setting agrees), contradicted
        (the publication prints something else elsewhere, and the recomputed value agrees with one of the
        two), not computable (reason says why), differs. mark: one of `MARKS` where the answer is to a
        question that is only like the printed one, or rests on a cut-off that the publication does not print.
    """
    import pandas as pd

    if ledger is None:
        return pd.DataFrame(columns=list(COLUMNS), dtype=str)
    rows: dict[str, Row] = {str(row["id"]): _row(row) for row in ledger.to_dict("records")}
    found = []
    for row in rows.values():
        answer = answer_to(row, statistics, config)
        verdict, reason = _verdict(row, rows, answer, statistics, config)
        if verdict == FOLLOWS and row["id"] in constrained:
            verdict = CONSTRAINED
        recomputed = answer.agreement.text if answer.agreement else ""
        found.append({**row, "recomputed": recomputed, "answered_by": answer.answered_by, "verdict": verdict,
                      "reason": reason})  # fmt: skip
    return pd.DataFrame(found)[list(COLUMNS)]


def count_verdicts(comparison: pd.DataFrame) -> dict[str, int]:
    """Return how many rows have each verdict, in the order of `VERDICTS`, absent ones with 0."""
    counted = comparison["verdict"].value_counts()
    return {verdict: int(counted.get(verdict, 0)) for verdict in VERDICTS}


def write_comparison(comparison: pd.DataFrame, path: Path) -> Path:
    """Write a comparison as csv and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    comparison.to_csv(path, index=False, lineterminator="\n")
    return path


def answer_to(row: Row, statistics: Statistics, config: CohortConfig) -> Answer:
    """Return what the statistics, or the configuration, answer to one row of a ledger."""
    if row["statistic_id"]:
        return _from_statistics(row, row["statistic_id"].split(SEPARATOR), statistics)
    if row["config_key"]:
        return _from_configuration(row, row["config_key"].split(SEPARATOR), config)
    return Answer(None, reason=row["reason"])


def _row(row: Any) -> Row:
    texts = {str(name): "" if value != value else value for name, value in row.items() if name != "numeric"}
    return {**dict.fromkeys(LINK_COLUMNS, ""), **texts, "numeric": float(row["numeric"])}


def _from_statistics(row: Row, identifiers: Iterable[str], statistics: Statistics) -> Answer:
    names = list(identifiers)
    absent = [name for name in names if name not in statistics]
    if absent:
        return Answer(None, SEPARATOR.join(names), f"this cohort has no statistic {', '.join(absent)}")
    found = [statistics[name] for name in names]
    return Answer(_agreement(row, found), SEPARATOR.join(names), row["reason"])


def _agreement(row: Row, found: list[Statistic]) -> Agreement:
    printed, numeric, kind = row["printed"], row["numeric"], row["statistic"]
    if kind.startswith(_ABSENT):
        first = found[0]
        text = f"{first.value:.1f}" if kind.endswith("percent") else format_p(first.p_value)
        return Agreement(text, agrees=False)
    if row["rounding"].startswith(FALL_OF_PRINTED):
        decimals = int(row["rounding"].partition(":")[2])
        before, after = (each.value for each in found)
        return agree_fall(printed, before, after, decimals)
    if kind == "p-value":
        return agree_p_value(printed, found[0].p_value)
    scale = float(Fraction(row["scale"] or 1))
    if is_share(kind):
        n = found[1].value if len(found) > 1 else found[0].n
        return agree_share(printed, numeric, found[0].value * scale, math.nan if n is None else float(n))
    values = [each.value * scale for each in found]
    return agree_numbers(printed, numeric, values, exact=kind == "count", rounding=row["rounding"])


def _from_configuration(row: Row, keys: list[str], config: CohortConfig) -> Answer:
    values = [declared_value(key, config) for key in keys]
    if row["statistic"] == "date":
        return Answer(agree_date(row["printed"], values[0]), SEPARATOR.join(keys))
    scale = float(Fraction(row["scale"] or 1))
    numbers = [float(value) * scale for value in values]
    return Answer(agree_numbers(row["printed"], row["numeric"], numbers), SEPARATOR.join(keys))


def _verdict(
    row: Row, rows: dict[str, Row], answer: Answer, statistics: Statistics, config: CohortConfig
) -> tuple[str, str]:
    if answer.agreement is None or row["statistic"].startswith(_ABSENT):
        return NOT_COMPUTABLE, answer.reason
    others = [rows[name] for name in row["conflicts"].split(SEPARATOR) if name in rows]
    if others:
        return _judge_conflict(row, others, answer, statistics, config)
    if not answer.agreement.agrees:
        return DIFFERS, f"printed {row['printed']}, recomputed {answer.agreement.text}"
    return (FOLLOWS if row["statistic_id"] else DECLARED), answer.agreement.note


def _judge_conflict(
    row: Row, others: list[Row], answer: Answer, statistics: Statistics, config: CohortConfig
) -> tuple[str, str]:
    """Say with which side of a contradiction the value recomputed for this row agrees."""
    elsewhere = ", ".join(f"{other['printed']} ({other['id']})" for other in others)
    assert answer.agreement is not None
    if answer.agreement.agrees:
        sides = [row]
    else:
        # The value asked for by this row, held against what the other rows print.
        asked = {name: row[name] for name in ("statistic_id", "config_key", "scale")}
        held = [(other, answer_to({**other, **asked}, statistics, config).agreement) for other in others]
        sides = [other for other, agreement in held if agreement is not None and agreement.agrees]
    own = answer.agreement.text
    text = f"printed {row['printed']} here, elsewhere {elsewhere}; recomputed {own} agrees with"
    if not sides:
        return DIFFERS, f"{text} neither"
    return CONTRADICTED, f"{text} {', '.join(side['id'] for side in sides)}"


def store_findings(findings: pd.DataFrame, store: StatisticsStore) -> None:
    """Store how many findings of each kind the audit of the printed numbers has."""
    for kind in FINDING_KINDS:
        count = int((findings["kind"] == kind).sum())
        store.add(AUDIT, kind, "count", value=count, unit="findings", method="count")


def store_verdicts(comparison: pd.DataFrame, store: StatisticsStore) -> None:
    """Store how many printed values have each verdict, in all and by section; zeros without a ledger."""
    common: dict[str, Any] = {"unit": "printed values", "method": "count"}
    store.add(ANALYSIS, "all", "count", value=len(comparison), **common)
    sections = {"": comparison} | {f"{slug(s)}_": part for s, part in comparison.groupby("section")}
    for prefix, part in sections.items():
        if prefix:
            store.add(ANALYSIS, f"{prefix}all", "count", value=len(part), **common)
        for verdict, count in count_verdicts(part).items():
            store.add(ANALYSIS, f"{prefix}{slug(verdict)}", "count", value=count, n=len(part), **common)
    for mark in MARKS:
        count = int((comparison["mark"] == mark).sum())
        store.add(ANALYSIS, slug(mark), "count", value=count, n=len(comparison), **common)
