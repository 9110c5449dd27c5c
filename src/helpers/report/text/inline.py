"""Any stored number in prose: in a notebook, or in a Markdown template.

>>> str(inline(statistics, "survival.death.ruxolitinib.day_56.survival", "percent", config=config))
'95.0%'
>>> from helpers.report.text.wording import Wording
>>> str(fill("Deaths: {{ survival.death.control.day_56.deaths | value }}.", material, Wording()))
'Deaths: 8.'
>>> filled_placeholder("survival.death.control.day_56.deaths | value", material, Wording())
'8'
>>> (
...     is_placeholder_of_a_number("survival.death.control.day_56.deaths | value"),
...     is_placeholder_of_a_number("text: results"),
... )
(True, False)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from helpers.cohort.installed import ENGLISH
from helpers.errors import CompendiumError
from helpers.report.text.absence import find_row
from helpers.report.text.citations import with_citations
from helpers.report.text.claims import Claim, Material, Row
from helpers.report.text.parts import PARTS, PartError
from helpers.report.text.prose import Declared, Fragment, Number, Prose, join_prose
from helpers.report.text.settings import setting_text
from helpers.report.text.wording import Language, Wording

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics

PLACEHOLDER = re.compile(r"\{\{\s*(.+?)\s*\}\}")
_DOTS = 4  # of an identifier
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+(?=\S)|(?<=[。！？])")


class TemplateError(CompendiumError):
    """A placeholder that cannot be filled; the message names it."""


def inline(
    statistics: Statistics,
    identifier: str,
    part: str = "value",
    *,
    config: CohortConfig,
    digits: int | None = None,
    horizon_days: float | None = None,
    language: Language = ENGLISH,
) -> Number | Prose:
    """Return one stored number as text that keeps its identifier, or the sentence that says why it is absent.

    Args:
        statistics: the stored rows.
        identifier: identifier of a row; ``*`` stands for anything, if one row only matches; ``{horizon}`` for
            the last day of the analysis.
        part: ``value``, ``ci``, ``p``, ``n``, ``percent`` ...: see :func:`helpers.report.text.parts`.
        config: the cohort's configuration, which tells a row that cannot be from one mistyped.
        digits: decimals, by default those fit for the row.
        horizon_days: last day of the analysis; by default the configuration's.
        language: language of p-values, intervals and of the sentence about absence.

    Raises:
        UnknownStatisticError: no lack of data explains why there is no such row; near identifiers are named.
        PartError: there is no such part, or the row does not have it.
    """
    days = float(config.horizon_days if horizon_days is None else horizon_days)
    material = Material(statistics, config, days)
    wording = Wording.of(language, config)
    found = find_row(material, identifier)
    if isinstance(found, Claim):
        return wording.paragraph([found])
    return wording.number(Row(found, digits), part)


def fill(template: str, material: Material, wording: Wording) -> Prose:
    """Return a paragraph of a template with its placeholders filled.

    ``{{ id | part }}`` or ``{{ id | part:digits }}`` is a stored number, ``{{ setting: key }}`` what the
    settings declare. A sentence that needs a row which the cohort cannot have is replaced by one that says
    why (once a paragraph).

    Raises:
        UnknownStatisticError: a row that no lack of data explains.
        TemplateError: a placeholder of another form.
        PartError: a part that the row does not have.
    """
    sentences: list[Prose] = []
    for sentence in _SENTENCE_ENDS.split(template):
        filled = _sentence(sentence, material, wording)
        if str(filled) not in map(str, sentences):
            sentences.append(filled)
    return join_prose(sentences, wording.grammar("sentence"))


def _sentence(text: str, material: Material, wording: Wording) -> Prose:
    pieces: list[Fragment | Prose] = []
    end = 0
    for found in PLACEHOLDER.finditer(text):
        filled = _placeholder(found[1], material, wording)
        if isinstance(filled, Claim):
            return wording.paragraph([filled])
        pieces += [with_citations(text[end : found.start()]), filled]
        end = found.end()
    return Prose.of(*pieces, with_citations(text[end:]))


def is_placeholder_of_a_number(text: str) -> bool:
    """Whether what stands between the braces asks for a stored number, not for a block or a setting."""
    return text.partition("|")[0].strip().count(".") == _DOTS


def filled_placeholder(text: str, material: Material, wording: Wording) -> str:
    """Return what stands for a placeholder of a stored number; errors as in :func:`fill`."""
    filled = _placeholder(text, material, wording)
    return str(wording.paragraph([filled]) if isinstance(filled, Claim) else filled)


def _placeholder(text: str, material: Material, wording: Wording) -> Fragment | Claim:
    kind, colon, key = text.partition(":")
    if colon and kind.strip() == "setting":
        return Declared(wording.term(setting_text(key.strip(), material)), key.strip())
    identifier, _, asked = (piece.strip() for piece in text.partition("|"))
    part, _, digits = asked.partition(":")
    part = part.strip() or "value"
    if part not in PARTS:
        raise PartError(f"{{{{ {text} }}}}: there is no part {part!r}; parts are {', '.join(PARTS)}")
    if identifier.count(".") != _DOTS:
        raise TemplateError(
            f"{{{{ {text} }}}}: found neither the identifier of a statistic (five parts joined by dots) nor "
            "'setting: key'"
        )
    row = find_row(material, identifier)
    if isinstance(row, Claim):
        return row
    return wording.number(Row(row, int(digits) if digits.strip() else None), part)
