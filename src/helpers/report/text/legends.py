"""Legends of figures: sentences of a language file, of which those stand that the cohort has the rows for.

>>> from helpers.report.text.wording import Wording
>>> (
...     str(figure_legend(Path("figure_1a"), study, Wording()))[:40],
...     "legends" in exhibit_words(Wording()),
... )
('Survival from day 0. Kaplan-Meier estima', True)
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.report.text.claims import Claim, Items, Row, Slot, Term
from helpers.report.text.methods import levels_of_response
from helpers.report.text.prose import Prose, join_prose
from helpers.report.text.steroids import spared
from helpers.report.text.survival import nobody_died
from helpers.report.text.wording import Wording
from helpers.results.catalogue import FlowRows, SurvivalRows

if TYPE_CHECKING:
    from helpers.report.text.material import Study

_PART = re.compile(r"^(\w+)\? ")


def exhibit_words(wording: Wording) -> Any:
    """Return the words for figures and tables."""
    return wording.words("exhibits.toml")


def figure_legend(stem: Path, study: Study, wording: Wording) -> Prose:
    """Return a figure's legend: the language's, or the file's own description where that has none."""
    words = exhibit_words(wording)
    own = wording.words("claims.toml").get(f"legend.{stem.name}")
    known = words["legends"].get(stem.name)
    if known is None and own:
        return wording.filled(str(own), _legend_claim(study))
    if known is None:
        return Prose.of(f"{svg_description(stem.with_suffix('.svg'))}.")
    claim = _legend_claim(study)
    sentences = [wording.filled(known["title"], claim)]
    texts = [_PART.sub("", text) for text in known["text"] if _part_is_there(text, study)]
    whole = (text for text in texts if set(re.findall(r"\{(\w+)", text)) <= set(claim.slots))
    sentences += [wording.filled(text, claim) for text in whole]
    return join_prose(sentences, wording.grammar("sentence"))


def _part_is_there(text: str, study: Study) -> bool:
    """Tell whether the cohort has the analysis that a sentence is marked with: ``response? B, ...``."""
    found = _PART.match(text)
    return found is None or bool(study.statistics.select(analysis=found[1]))


def _legend_claim(study: Study) -> Claim:
    """Return what legends may show: interval level, group sizes, the test of the curves."""
    material = study.material
    sizes = tuple(
        Claim("legend.size", {"n": Row(row), "arm": material.arm(group)})
        for group in material.config.groups
        if (
            row := material.statistics.find(
                FlowRows.analysed, "patients", group=group.id, timepoint="baseline"
            )
        )
    )
    levels = levels_of_response(material.config)
    slots: dict[str, Slot] = {"level": material.level, "sizes": Items(sizes), "levels": levels}
    converted = material.config.steroids.converted
    slots["dose_unit"] = Claim("legend.dose_converted" if converted else "legend.dose")
    slots |= {"spared": spared(material.config), "Spared": Term(material.config.spared_label, "")}
    test = material.statistics.find(SurvivalRows.logrank, "death", group="both", timepoint=material.day)
    if test is not None and test.p_value == test.p_value and not nobody_died(material):
        slots["logrank"] = Row(test)
    return Claim("legend", slots)


def svg_description(path: Path) -> str:
    """Return the description that a figure's SVG file carries; the file's name where it has none.

    >>> svg_description(study.figures_folder / "figure_1a.svg")[:40]
    'Kaplan-Meier survival from day 0 with nu'
    """
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = re.search(r"<dc:description>(.*?)</dc:description>", text, re.S)
    from html import unescape

    return unescape(found[1].strip()) if found else path.stem.replace("_", " ")
