"""Tables and readings of the comparison with a publication.

>>> audit_narrative(statistics, config).text[:70]
'Contradictions: 2. What can hold, but only in a way to know of: 13. No'
>>> comparison_narrative(statistics, config).text[:70]
'Of 310 printed values 253 are given by data that were made to meet the'
>>> side_by_side_narrative(config).text[:70]
"This cohort's settings name no publication to stand beside it (compare"
>>> verdict_table(
...     statistics, pd.DataFrame({"section": ["Table 1"], "verdict": ["follows"]}), watermark=""
... ).label
'Table 8'
>>> audit_findings_table(pd.DataFrame(columns=["kind", "rule", "ids", "text"]), watermark="").label
'Table S18'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.published import ABSENT
from helpers.report.tables.cells import number, verbatim
from helpers.report.tables.content import Row, column, message, row
from helpers.report.tables.table import Table
from helpers.report.text.claims import Claim, Slot
from helpers.report.text.claims import Row as Stored
from helpers.report.text.narrative import Narrative, brief
from helpers.results.catalogue import PublishedAuditRows, PublishedClaimsRows, PublishedRows
from helpers.results.format import format_interval, format_number
from helpers.results.store import slug

if TYPE_CHECKING:
    import pandas as pd

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics

VERDICTS = ("constrained", "follows", "declared", "contradicted", "not computable", "differs")
_MEANING = (
    "Constrained: the data give the printed value, and the cohort was made to meet it. "
    "Follows: the data give it without having been made to."
)
ANSWERS = ("holds", "does not hold", "cannot be answered")
NO_OTHER = "This cohort's settings name no publication to stand beside it (compare_to)."


def _table(name: str, title: str, heads: list[str], rows: list[Row], notes: list[str], watermark: str,
           absent: str = ABSENT) -> Table:  # fmt: skip
    columns = [column(verbatim(head), left=True) for head in heads]
    return Table(name, title, columns, rows or [message(absent)], notes if rows else [], watermark)


def _texts(frame: pd.DataFrame) -> list[Row]:
    """Return the lines of a frame as they are: the wording of the publication and of its comparison."""
    return [row(*line) for line in frame.astype(str).to_numpy().tolist()]


def _with_mark(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return a column's words, each followed by the row's mark where it has one."""
    return frame[column].where(frame["mark"] == "", frame[column] + ", " + frame["mark"])


def verdict_table(statistics: Statistics, comparison: pd.DataFrame, *, watermark: str) -> Table:
    """Return the number of printed values by section and verdict, from the stored counts."""
    sections = {section: f"{slug(section)}_" for section in dict.fromkeys(comparison["section"])}
    rows = []
    for section, prefix in {**sections, "All": ""}.items() if sections else ():
        names = [f"{prefix}{slug(verdict)}" for verdict in VERDICTS] + [f"{prefix}all"]
        counts = [statistics[PublishedRows.count.id(name)] for name in names]
        rows.append(row(section, *map(number, counts)))
    columns = ["Section", *[verdict.capitalize() for verdict in VERDICTS], "Printed values"]
    title = "Printed values by what became of them"
    return Table("table_8_published", title, columns, rows or [message(ABSENT)], [_MEANING] if rows else (),
                 watermark)  # fmt: skip


def remarks_table(comparison: pd.DataFrame, *, watermark: str) -> Table:
    """Return the printed values whose verdict needs a word, with the reason."""
    plain = comparison["verdict"].isin(VERDICTS[:3]) & (comparison["reason"] + comparison["mark"] == "")
    comparison = comparison.assign(verdict=_with_mark(comparison, "verdict"))
    columns = ["id", "quantity", "group", "printed", "recomputed", "verdict", "reason"]
    rows = _texts(comparison.loc[~plain, columns])
    notes = ["All printed values are in published_comparison.csv."]
    heads = ["Row", "Quantity", "Group", "Printed", "Recomputed", "Verdict", "Reason"]
    none = ABSENT if comparison.empty else "Every printed value is given by the data or declared."
    return _table(
        "table_s17_published_rows", "Printed values that need a word", heads, rows, notes, watermark, none
    )


def audit_findings_table(findings: pd.DataFrame, *, watermark: str) -> Table:
    """Return what the printed numbers say against each other."""
    rows = _texts(findings[["kind", "ids", "text"]])
    heads = ["Kind", "Rows", "Finding"]
    return _table(
        "table_s18_published_audit", "The printed numbers against each other", heads, rows, [], watermark
    )


def claims_table(answers: pd.DataFrame, *, watermark: str) -> Table:
    """Return what the publication says without a number, with the statistic that answers it.

    >>> from helpers.published.claims import answer_claims, read_claims
    >>> answers = answer_claims(statistics, read_claims("rdmas_2025"))
    >>> claims_table(answers, watermark="").label, claims_narrative(statistics, answers).text[:30]
    ('Table S30', 'Of 40 claims without a number ')
    """
    shown = answers.assign(answer=_with_mark(answers, "answer"))[
        ["id", "section", "claim", "found", "answer", "reason"]
    ]
    heads = ["Row", "Section", "Claim", "Found", "Answer", "Remark"]
    notes = ["Claims in words of this project; the statistics behind them are named in data/published."]
    title = "What the publication says without a number"
    none = ABSENT if answers.empty else ""
    return _table("table_s30_published_claims", title, heads, _texts(shown), notes, watermark, none)


def claims_narrative(
    statistics: Statistics, answers: pd.DataFrame, config: CohortConfig | None = None
) -> Narrative:
    """Say how many claims without a number hold, do not, or cannot be answered."""
    if answers.empty:
        return brief([], "publication.none", config)
    slots: dict[str, Slot] = {
        slug(name): Stored(statistics[PublishedClaimsRows.count.id(slug(name))], 0) for name in ANSWERS
    }
    slots |= {"all": str(len(answers)), "proxies": str(int((answers["mark"] != "").sum()))}
    return brief([Claim("publication.claims", slots)], "", config)


def side_by_side_table(beside: pd.DataFrame, *, watermark: str) -> Table:
    """Return printed value, own value and difference of every question that both answer.

    >>> from helpers.published.comparison import open_ledger
    >>> from helpers.published.side_by_side import side_by_side
    >>> beside = side_by_side(statistics, config, open_ledger("rdmas_2025"), confidence=0.95)
    >>> side_by_side_table(beside, watermark="").label
    'Table S19'
    """
    rows = []
    for line in beside.fillna({"unit": ""}).to_dict("records"):
        known = line["difference"] == line["difference"]
        digits = max(1, len(str(line["own"]).partition(".")[2]))
        difference = format_number(line["difference"], digits) if known else ""
        interval = ""
        if line["lower"] == line["lower"]:
            interval = format_interval(line["lower"], line["upper"], digits)
        texts = [line[name] for name in ("id", "quantity", "group", "timepoint", "printed", "own")]
        rows.append(row(*map(str, texts), difference, interval, str(line["unit"])))
    heads = ["Row", "Quantity", "Group", "Time", "Printed", "Own", "Difference", "Interval", "Unit"]
    notes = ["Difference: own minus printed. Other patients were treated elsewhere: no verdict is passed."]
    return _table("table_s19_beside_paper", "Beside the publication", heads, rows, notes, watermark, NO_OTHER)


def audit_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say how many contradictions and tensions there are among the printed numbers alone."""
    if config.ledger is None:
        return brief([], "publication.none", config)
    kinds = ("contradiction", "tension", "note")
    slots: dict[str, Slot] = {
        kind: Stored(statistics[PublishedAuditRows.count.id(kind)], 0) for kind in kinds
    }
    return brief([Claim("publication.audit", slots)], "", config)


def comparison_narrative(statistics: Statistics, config: CohortConfig) -> Narrative:
    """Say what became of the printed values, and what agreement does and does not mean."""
    if config.ledger is None:
        return brief([], "publication.none", config)
    rows = {slug(name): statistics[PublishedRows.count.id(slug(name))] for name in ("all", *VERDICTS)}
    slots: dict[str, Slot] = {name: Stored(row, 0) for name, row in rows.items()}
    reconstructed = config.provenance == "reconstructed"
    given = Claim("publication.constrained" if reconstructed else "publication.follows", slots)
    differs = Claim("publication.differ" if rows["differs"].value else "publication.none_differs", slots)
    claims = [Claim("publication.compared", {**slots, "given": given, "differ": differs})]
    if reconstructed:
        claims.append(Claim("publication.made_to_agree"))
    return brief(claims, "", config)


def side_by_side_narrative(config: CohortConfig) -> Narrative:
    """Say what stands beside the publication."""
    claim = "publication.none_beside" if config.compare_to is None else "publication.beside"
    return brief([Claim(claim)], "", config)
