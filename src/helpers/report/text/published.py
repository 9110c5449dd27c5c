"""Claims about the comparison with a publication, where the cohort names one.

>>> [claim.key for claim in printed_values(material)]
['published.counts_rebuilt', 'published.others', 'published.claims', 'published.rebuilt']
"""

from __future__ import annotations

from helpers.report.text.claims import Claim, Material, Row, Slot
from helpers.results.catalogue import PublishedClaimsRows, PublishedRows

_VERDICTS = ("all", "constrained", "follows", "declared", "contradicted", "not_computable", "differs")
_ANSWERS = ("holds", "does_not_hold", "cannot_be_answered")


def printed_values(material: Material) -> list[Claim]:
    """What became of the printed values, and what agreement does and does not mean."""
    stored = material.statistics
    ids = {name: PublishedRows.count.id(name) for name in _VERDICTS}
    if material.config.ledger is None or not all(name in stored for name in ids.values()):
        return []
    slots: dict[str, Slot] = {name: Row(stored[identifier], 0) for name, identifier in ids.items()}
    rebuilt = material.config.provenance == "reconstructed"
    claims = [Claim("published.counts_rebuilt" if rebuilt else "published.counts", slots)]
    claims.append(Claim("published.others", slots))
    answers = {name: PublishedClaimsRows.count.id(name) for name in _ANSWERS}
    if all(name in stored for name in answers.values()) and stored[answers["holds"]].n:
        said: dict[str, Slot] = {name: Row(stored[identifier], 0) for name, identifier in answers.items()}
        claims.append(Claim("published.claims", said))
    if rebuilt:
        claims.append(Claim("published.rebuilt"))
    return claims
