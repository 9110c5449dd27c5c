"""What journals ask of the text: the style of citations, the statements before the references."""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel, ConfigDict, Field

from helpers.report.journals.requirements import journal_file, journal_named


class TextRules(BaseModel):
    """What one journal, or none in particular, asks of the text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    citations: str = Field(description="Name of a style of the Citation Style Language.")
    statements: tuple[str, ...] = Field(description="Sections before the references, in order.")


@cache
def text_rules(journal: str) -> TextRules:
    """Return what a journal asks of the text.

    Raises:
        JournalError: there is no such journal.

    >>> text_rules("generic").citations
    'nlm-citation-sequence'
    """
    return TextRules(**journal_file(journal_named(journal).name)["text"])
