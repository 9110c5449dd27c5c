"""Do the printed numbers of a publication agree with each other? No data are needed, only the ledger.

Three kinds of finding: a *contradiction* cannot hold, and its text is the proof; a *tension* can hold, but
only in a way that a reader should know of; a *note* says which test gives a printed p-value.

>>> from helpers.published.comparison import open_ledger
>>> found = audit_ledger(open_ledger("rdmas_2025"))
>>> found[0].kind, found[0].rule
('contradiction', 'printed twice')
>>> audit_table(found).columns.tolist(), len(published_findings(None))
(['kind', 'rule', 'ids', 'text'], 0)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.published.audit_numbers import NUMBER_RULES
from helpers.published.audit_tests import TEST_RULES
from helpers.published.entries import Entries
from helpers.published.findings import Finding

if TYPE_CHECKING:
    import pandas as pd


def audit_ledger(ledger: pd.DataFrame) -> list[Finding]:
    """All findings on a ledger with the columns of `helpers.published.ledger.LEDGER_COLUMNS`.

    Contradictions first, then tensions, then notes, each in the order of the ledger.
    """
    entries = Entries(ledger)
    order = {entry.id: i for i, entry in enumerate(entries.all)}
    found = [finding for rule in (*NUMBER_RULES, *TEST_RULES) for finding in rule(entries)]
    rank = {"contradiction": 0, "tension": 1, "note": 2}
    return sorted(dict.fromkeys(found), key=lambda f: (rank[f.kind], min(order[i] for i in f.ids), f.rule))


def published_findings(ledger: pd.DataFrame | None) -> pd.DataFrame:
    """Findings on a ledger as a table; without rows for a cohort that names no ledger."""
    return audit_table([] if ledger is None else audit_ledger(ledger))


def audit_table(findings: list[Finding]) -> pd.DataFrame:
    """Findings as a table: kind, rule, ids (joined by a blank), text."""
    import pandas as pd

    rows = [{"kind": f.kind, "rule": f.rule, "ids": " ".join(f.ids), "text": f.text} for f in findings]
    return pd.DataFrame(rows, columns=["kind", "rule", "ids", "text"])
