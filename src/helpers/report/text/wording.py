"""Languages: templates of claims, words of grammar, translations of terms; one TOML file each.

>>> (
...     str(capitalised(Prose.of("nobody died"))),
...     plain_method("Yates-corrected chi-square (smallest expected count 4.39)"),
... )
('Nobody died', 'Yates-corrected chi-square')
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias

from helpers.cohort.installed import AMERICAN, ENGLISH, language_names, language_tags
from helpers.errors import CompendiumError
from helpers.report.text.citations import with_citations
from helpers.report.text.claims import Claim, Date, Items, Row, Slot, Term
from helpers.report.text.parts import part_text
from helpers.report.text.prose import Declared, Fragment, Number, Prose, join_prose
from helpers.report.text.spelling import american, american_words
from helpers.vocabulary.names import in_text
from helpers.vocabulary.reading import shipped_vocabulary
from helpers.vocabulary.vocabulary import Vocabulary

if TYPE_CHECKING:
    from helpers.cohort.config import CohortConfig

Language: TypeAlias = str  # the name of a folder of this room
LANGUAGES, LANGUAGE_TAGS = language_names(), language_tags()
_FILES = ("claims.toml", "methods.toml", "exhibits.toml", "checklists.toml", "report.toml")
_OWN_DIGITS = {"p", "p_value", "n", "n_missing", "of", "count_percent"}
_JOINS = {"commas": "list", "semicolons": "semicolon", "sentences": "sentence"}
_OF_ONE_TABLE = re.compile(r" \(smallest expected count [\d.]+\)(;.*)?$")
_COUNTED = re.compile(r"^(\S+) \((.*)\)$")
VOCABULARY_LANGUAGE = "zh"
_GROUP = re.compile(r"\\(\d)")
_SLOT = re.compile(r"\{(\w+)(?:\.(\w+))?(?::(\d+))?\}")


class WordingError(CompendiumError):
    """A template that is missing, or that asks for what its claim does not hold."""


@cache
def language_file(language: Language, name: str) -> Mapping[str, Any]:
    """Return one file of a language."""
    text = (files("helpers.report.text") / language / name).read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _words(language: Language, name: str, american_spelling: bool) -> Mapping[str, Any]:
    words = language_file(language, name)
    if not american_spelling:
        return words
    return {**american_words(words), **({"lang": AMERICAN} if "lang" in words else {})}


@cache
def _templates(language: Language, american_spelling: bool) -> Mapping[str, Any]:
    files = (_words(language, name, american_spelling) for name in _FILES[:2])
    return {key: text for words in files for key, text in words.items()}


@dataclass(frozen=True)
class Wording:
    """One language with the cohort's own words.

    Attributes:
        language: name of its folder.
        terms: words of the cohort in this language, by the word as declared.
        vocabulary: names of variables, drugs and event terms.
        american: whether English is spelled as in America.

    >>> from helpers.report.text.claims import Row
    >>> from helpers.results.store import Statistic
    >>> wording = Wording("zh")
    >>> wording.term("Survival"), wording.label("Age, years"), wording.phrase("log-rank test")
    ('Survival', '年龄', 'log-rank test')
    >>> row = Statistic("a.b.c.d.e", "a", "b", "c", "d", "e", p_value=0.0114)
    >>> wording.number(Row(row), "p").text, Wording.tagged("en-US", {}).spelled("haemoglobin")
    ('P = 0.011', 'hemoglobin')
    """

    language: Language = ENGLISH
    terms: Mapping[str, str] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=shipped_vocabulary)
    american: bool = False

    @cached_property
    def vocabulary_words(self) -> Mapping[str, str]:
        """Words of the vocabulary by the English ones, also without unit or capital letter.

        The vocabulary has them in Chinese; any other language has its own in `terms.toml`.
        """
        if self.language != VOCABULARY_LANGUAGE:
            return {}
        words = self.vocabulary.translations()
        words |= {
            label.rpartition(", ")[0]: own.split("，")[0] for label, own in words.items() if ", " in label
        }
        return {**{label.lower(): own for label, own in words.items()}, **words}

    @classmethod
    def of(cls, tag: Language, config: CohortConfig) -> Wording:
        """Return the wording of a language for a cohort; its own terms count for its own language.

        Args:
            tag: name of the language, or ``en-US``.
            config: the cohort.
        """
        own = config.report.terms if config.report.language == tag else {}
        return cls.tagged(tag, own, config.vocabulary)

    @classmethod
    def tagged(cls, tag: Language, terms: Mapping[str, str], vocabulary: Vocabulary | None = None) -> Wording:
        """Return the wording of a language by its tag, with these own terms."""
        american_spelling = tag == AMERICAN
        language = ENGLISH if american_spelling else tag
        return cls(language, terms, vocabulary or shipped_vocabulary(), american_spelling)

    @property
    def as_written(self) -> bool:
        """Whether texts are wanted as this project writes them."""
        return self.language == ENGLISH and not self.american

    @property
    def eastern(self) -> bool:
        """Whether the language is written in Chinese, Japanese or Korean letters."""
        return str(self.words("report.toml")["lang"]).startswith(("zh", "ja", "ko"))

    def words(self, name: str) -> Mapping[str, Any]:
        """Return one file of the language, spelled as wanted."""
        return _words(self.language, name, self.american)

    def spelled(self, text: str) -> str:
        """Return an English text, spelled as wanted."""
        return american(text) if self.american else text

    def render(self, claim: Claim, register: str = "") -> Prose:
        """Return a claim in words.

        Args:
            claim: the claim.
            register: name of another wording of the same claim, used where there is one (``brief``).

        Raises:
            WordingError: the language has no template for the claim or for its variant, or the template
                names a slot that the claim does not fill.
        """
        return self.filled(self._template(claim, register), claim, register)

    def filled(self, template: str, claim: Claim, register: str = "") -> Prose:
        """Return a template filled with a claim's slots; arguments and errors as in :meth:`render`."""
        parts: list[Fragment | Prose] = []
        end = 0
        for found in _SLOT.finditer(template):
            name, part, digits = found[1], found[2], found[3]
            if name not in claim.slots:
                raise WordingError(f"{self.language}: the template of {claim.key} names {found[0]}")
            parts.append(with_citations(template[end : found.start()]))
            parts.append(self._fill(claim.slots[name], part, digits, register))
            end = found.end()
        return Prose.of(*parts, with_citations(template[end:]))

    def paragraph(self, claims: list[Claim], register: str = "") -> Prose:
        """Return claims as sentences of one paragraph.

        >>> from helpers.report.text.survival import deaths
        >>> str(Wording().paragraph(deaths(material)))[:40], str(Wording().render(deaths(material)[0]))[:20]
        ('By day 56, 1 of 20 patients in the ruxol', 'By day 56, 1 of 20 p')
        """
        sentences = (capitalised(self.render(claim, register)) for claim in claims)
        return join_prose(sentences, self.grammar("sentence"))

    def grammar(self, name: str) -> str:
        """Return a word or sign of grammar."""
        return str(self.words("grammar.toml")["grammar"][name])

    def date(self, text: str) -> str:
        """Return a day or month written out: ``31 December 2024``, ``December 2024``.

        Example:
            >>> Wording().date("2024-12-31"), Wording().date("2022-01")
            ('31 December 2024', 'January 2022')
        """
        year, month, *day = text.split("-")
        months = language_file(self.language, "grammar.toml")["grammar"]["months"]
        form = self.grammar("day" if day else "month")
        return form.format(year=year, month=months[int(month) - 1], day=int(day[0]) if day else "")

    def term(self, text: str) -> str:
        """Return a word in this language: the cohort's own, the dictionary's, the language's; else itself."""
        if text in self.terms:
            return self.terms[text]
        if self.language == ENGLISH:
            return self.spelled(text)
        known = _translations(self.language).get(text) or self.vocabulary_words.get(text)
        if known is not None:
            return known
        return self._patterned(text)

    def _patterned(self, text: str) -> str:
        """Return a word by the first of the language's patterns that it fits; else itself."""
        for pattern, replacement in _patterns(self.language):
            found = pattern.search(text)
            if found:
                told = [self.term(part or "") for part in found.groups()]
                changed = _GROUP.sub(lambda slot, told=told: told[int(slot[1]) - 1], replacement)  # type: ignore[misc]
                return text[: found.start()] + changed + text[found.end() :]
        return text

    def phrase(self, text: str) -> str:
        """Return a phrase of methods: the whole if the language has it, else its parts between commas."""
        if self.language == ENGLISH:
            return self.spelled(self._patterned(text))
        whole = self.term(text)
        if whole != text:
            return whole
        return self.grammar("comma").join(self.term(part) for part in text.split(", "))

    def label(self, name: str) -> str:
        """Return a term for the middle of a sentence, without its unit."""
        text = self.term(name)
        if self.grammar("small_letters"):
            return in_text(text)
        return re.split(rf"{self.grammar('comma')}|, ", text)[0]

    def number(self, slot: Row, part: str, *, given: bool = True) -> Number:
        """Return one part of a row in this language.

        Args:
            slot: the row and the decimals to show.
            part: which part of it.
            given: whether the decimals are meant for this part, not for the row's estimate only.
        """
        places = None if not given and part in _OWN_DIGITS else slot.digits
        text = part_text(slot.row, part, places)
        if part == "method":
            text = plain_method(text)
        if part in {"method", "note", "unit"}:
            text = self.phrase(text)
        if part in {"ci", "value_ci"}:
            text = text.replace(" to ", self.grammar("to"))
        if part == "p":
            text = self.grammar("p") + text.removeprefix("p")
        if part == "count_percent":
            text = _COUNTED.sub(self.grammar("count_percent"), text)
        return Number(text, slot.row.id, part)

    def _template(self, claim: Claim, register: str) -> str:
        templates = _templates(self.language, self.american)
        found: Any = templates.get(f"{claim.key}@{register}", templates.get(claim.key))
        for branch in claim.variant:
            if not isinstance(found, Mapping):
                break
            found = found.get(branch, found.get("any"))
        if isinstance(found, Mapping):
            found = found.get("any")
        if not isinstance(found, str):
            variant = ".".join((claim.key, *claim.variant))
            raise WordingError(f"{self.language}: there is no template for {variant}")
        return found

    def _fill(self, slot: Slot, part: str | None, digits: str | None, register: str) -> Fragment | Prose:
        if isinstance(slot, Row):
            places = int(digits) if digits is not None else slot.digits
            return self.number(Row(slot.row, places), part or "value", given=digits is not None)
        if isinstance(slot, Date):
            return Declared(self.date(slot.text), slot.key)
        if isinstance(slot, Term):
            return self._word(slot)
        if isinstance(slot, Claim):
            return self.render(slot, register)
        if isinstance(slot, Items):
            rendered = [self.render(claim, register) for claim in slot.claims]
            if slot.join == "list":
                return join_prose(rendered, self.grammar("list"), self.grammar("list_last"))
            return join_prose(rendered, self.grammar(_JOINS[slot.join]))
        return self.term(slot) if isinstance(slot, str) else slot

    def _word(self, term: Term) -> Fragment:
        say = {"plain": self.phrase, "whole": self.term}.get(term.form, self.label)
        text = say(term.text)
        if term.form == "arm":
            text = self.grammar("arm").replace("{name}", text)
        return Declared(text, term.key) if term.key else text


def capitalised(sentence: Prose) -> Prose:
    """Return a sentence that begins with a capital letter, whatever word comes first."""
    if not sentence.fragments:
        return sentence
    first, *rest = sentence.fragments
    text = str(first)
    if isinstance(first, Declared):
        first = Declared(text[:1].upper() + text[1:], first.key)
    elif isinstance(first, str):
        first = text[:1].upper() + text[1:]
    return Prose((first, *rest))


def plain_method(method: str) -> str:
    """Return a method's name without what holds for one row only: the expected count of its table."""
    return _OF_ONE_TABLE.sub("", method)


@cache
def _translations(language: Language) -> dict[str, str]:
    return dict(language_file(language, "terms.toml").get("terms", {}))


@cache
def _patterns(language: Language) -> list[tuple[re.Pattern[str], str]]:
    declared = language_file(language, "terms.toml").get("patterns", {})
    return [(re.compile(pattern), replacement) for pattern, replacement in declared.items()]
