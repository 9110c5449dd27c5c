"""Text whose numbers remember where they come from: a stored statistic, or a declared setting.

>>> str(join_prose([Prose.of("a"), Prose.of("b"), Prose.of("c")], ", ", " and "))
'a, b and c'
>>> fragment_html(Number("20", "survival.death.all.day_56.deaths"))[:56]
'<data data-statistic="survival.death.all.day_56.deaths" '
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Number:
    """A stored number as it stands in the text.

    Attributes:
        text: what readers see.
        id: identifier of its row in the statistics.
        part: which part of the row it shows (a key of :data:`helpers.report.text.parts.PARTS`).
    """

    text: str
    id: str
    part: str = "value"

    def __str__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return as_markdown(self.text)

    def _repr_html_(self) -> str:
        return fragment_html(self)


@dataclass(frozen=True)
class Declared:
    """A number or word that the cohort's settings, the run's parameters or the software declare.

    Attributes:
        text: what readers see.
        key: where it is declared, such as ``follow_up.horizon_days`` or ``parameters.seed``.
    """

    text: str
    key: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Reference:
    """A figure or table named in the text.

    Attributes:
        text: its label.
        name: its name, by which a page can lead there.
    """

    text: str
    name: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Cite:
    """Works cited at this place, before they have a number; nothing is shown of it.

    Attributes:
        keys: of the works in ``references.bib``.
    """

    keys: tuple[str, ...]

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True)
class Styled:
    """Text with a look of its own, such as the name of a journal in a reference."""

    text: str
    italic: bool = False
    bold: bool = False
    raised: bool = False

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Citation(Styled):
    """The numbers of works cited, as the journal's style has them."""


Fragment: TypeAlias = str | Number | Declared | Reference | Cite | Styled


@dataclass(frozen=True)
class Prose:
    """A sentence or paragraph, in fragments.

    ``str()`` gives the plain text; a notebook shows the text with the identifiers of its numbers as tooltips.
    """

    fragments: tuple[Fragment, ...] = ()

    @classmethod
    def of(cls, *parts: Fragment | Prose) -> Prose:
        """Join fragments and prose to one prose, neighbouring plain texts made one."""
        merged: list[Fragment] = []
        for part in parts:
            for fragment in part.fragments if isinstance(part, Prose) else (part,):
                if isinstance(fragment, str) and merged and isinstance(merged[-1], str):
                    merged[-1] += fragment
                elif fragment != "":
                    merged.append(fragment)
        return cls(tuple(merged))

    def __str__(self) -> str:
        return "".join(str(fragment) for fragment in self.fragments)

    def __bool__(self) -> bool:
        return bool(self.fragments)

    def __iter__(self) -> Iterator[Fragment]:
        return iter(self.fragments)

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The stored numbers in order of appearance."""
        return tuple(fragment for fragment in self.fragments if isinstance(fragment, Number))

    @property
    def ids(self) -> tuple[str, ...]:
        """Identifiers of the statistics that the text shows, each once."""
        return tuple(dict.fromkeys(number.id for number in self.numbers))

    def _repr_markdown_(self) -> str:
        return as_markdown(str(self))

    def _repr_html_(self) -> str:
        return f"<p>{''.join(fragment_html(fragment) for fragment in self.fragments)}</p>"


# What Markdown, the HTML within it and the formulas of notebooks read as more than a letter; the colon of an
# address is one of them, as addresses become links by themselves.
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|$~&]|^[#=+-]|:(?=//)", re.MULTILINE)


def as_markdown(text: str) -> str:
    """Return a text so that Markdown shows it as it is, whatever it holds.

    Signs become numeric references, which no reader of Markdown, HTML or formulas takes for a command.

    Example:
        >>> as_markdown("<b>1 [2]: survival")
        '&#60;b&#62;1 &#91;2&#93;: survival'
    """
    return _MARKDOWN.sub(lambda found: f"&#{ord(found[0])};", text)


def fragment_html(fragment: Fragment) -> str:
    """Return a fragment as HTML: numbers in a ``data`` element that names their row, settings their key."""
    if isinstance(fragment, Number):
        identifier = html.escape(fragment.id, quote=True)
        part = html.escape(fragment.part, quote=True)
        return (
            f'<data data-statistic="{identifier}" data-part="{part}" title="{identifier}">'
            f"{html.escape(fragment.text)}</data>"
        )
    if isinstance(fragment, Declared):
        key = html.escape(fragment.key, quote=True)
        return f'<data data-setting="{key}" title="{key}">{html.escape(fragment.text)}</data>'
    return html.escape(str(fragment))


def join_prose(items: Iterable[Prose], separator: str, last: str | None = None) -> Prose:
    """Join several by a separator, the last one by ``last``: ``a, b and c``."""
    parts: list[Fragment | Prose] = []
    every = [item for item in items if item]
    for number, item in enumerate(every):
        if number:
            parts.append(last if last is not None and number == len(every) - 1 else separator)
        parts.append(item)
    return Prose.of(*parts)
