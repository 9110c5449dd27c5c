"""Citations: every key has its work and every work its place, numbered in the order of the text."""

from __future__ import annotations

import io
import re
import tomllib
import zipfile
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from analysed import NAME, QUICK, analysed

from helpers.report.formats.manuscript import manuscript_bytes
from helpers.report.journals.requirements import journals
from helpers.report.text.blocks import Heading, Paragraph, TableBlock
from helpers.report.text.citations import CitationError, cite, with_citations, works_on
from helpers.report.text.document import build_document, build_report, build_supplement
from helpers.report.text.prose import Citation, Prose
from helpers.report.text.wording import LANGUAGES, Wording

TEXT = Path(str(files("helpers.report.text")))
CRITERIA = Path(str(files("helpers.clinical"))) / "criteria"
KEY = re.compile(r"@(\w+\d{4}|ctcae\d|nct\d+)")


def listed():
    return re.findall(r"^@\w+\{(\w+),", (TEXT / "references.bib").read_text(encoding="utf-8"), flags=re.M)


def asked():
    """Keys that templates, methods and criteria name."""
    found = set()
    for path in TEXT.glob("*/*.*"):
        if path.suffix in {".toml", ".md"}:
            found |= set(KEY.findall(path.read_text(encoding="utf-8")))
    works = tomllib.loads((TEXT / "citations.toml").read_text(encoding="utf-8"))["works"]
    found |= {key for keys in works.values() for key in keys}
    for path in CRITERIA.glob("*.toml"):
        found |= set(tomllib.loads(path.read_text(encoding="utf-8")).get("cite", ()))
    return found


def test_every_key_has_a_work_and_every_work_a_place():
    assert len(listed()) == len(set(listed())) > 40
    assert set(listed()) == asked()


def test_every_criteria_file_says_what_it_cites():
    own = {"baseline_severity"}  # limits of several sources, named in words
    read = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in CRITERIA.glob("*.toml")}
    assert {name for name, text in read.items() if not text.get("cite")} == own


def test_every_work_says_where_it_was_checked():
    entries = (TEXT / "references.bib").read_text(encoding="utf-8").split("\n@")[1:]
    assert all(re.search(r"checked = \{[^}]+\}", entry) for entry in entries)


@pytest.mark.parametrize("journal", journals())
def test_works_are_numbered_as_they_appear_in_the_style_of_the_journal(journal):
    study = analysed(NAME)
    config = study.config.model_copy(
        update={"report": study.config.report.model_copy(update={"journal": journal})}
    )
    document = build_document(replace(study, config=config), Wording())
    prose = [block.text for block in document.blocks if isinstance(block, Paragraph)]
    shown = [fragment for text in prose for fragment in text if isinstance(fragment, Citation)]
    numbers = [int(number) for one in shown for number in re.findall(r"\d+", one.text)]
    first = list(dict.fromkeys(numbers))
    works = [str(b.text) for b in document.blocks if isinstance(b, Paragraph) and b.role == "reference"]
    assert first == list(range(1, len(works) + 1))
    assert len(works) > 30
    assert [int(re.match(r"\d+", work)[0]) for work in works] == first
    for work in works:
        assert re.match(r"\d+\.? \S", work), work
        assert "others" not in work
        assert ".." not in work
        assert "<" not in work
        assert "checked" not in work
    raised = {one.raised for one in shown}
    assert raised == {journal in {"nature", "lancet", "nejm", "jama"}}
    for text in prose:
        assert not re.search(r" \d+$", str(text))
        if raised == {True}:
            assert not re.search(r"[a-z]\d+(,\d+)*\.", str(text)), "the number stands after the full stop"


def test_a_raised_number_stands_after_the_sign_and_one_in_brackets_before_it():
    text = with_citations("by one method[@kaplan1958]; by another[@firth1993; @heinze2001].")
    raised = cite([text], "the-lancet", Path())
    assert str(raised.numbered(text)) == "by one method;1 by another.2,3"
    plain = cite([text], "plos", Path())
    assert str(plain.numbered(text)) == "by one method [1]; by another [2,3]."
    assert str(plain.numbered(text, "")) == "by one method[1]; by another[2,3]."


def test_a_cohort_may_bring_its_own_works_and_an_unknown_key_is_named(tmp_path):
    (tmp_path / "references.bib").write_text(
        "@article{ours2026, author = {Doe, J.}, title = {Ours}, journal = {J}, year = {2026}}\n"
        "@article{kaplan1958, author = {Kaplan, E.}, title = {Another}, journal = {J}, year = {1958}}\n",
        encoding="utf-8",
    )
    text = with_citations("as before[@ours2026; @kaplan1958]")
    found = cite([text], "nlm-citation-sequence", tmp_path)
    works = [str(work) for work in found.references]
    assert works[0].startswith("1. Doe J. Ours. J. 2026")
    assert works[1].startswith("2. Kaplan E. Another. J. 1958")
    with pytest.raises(CitationError, match=r"found \[@nobody1900\], expected keys of references\.bib"):
        cite([with_citations("[@nobody1900]")], "plos", tmp_path)
    (tmp_path / "references.bib").write_text("@article{broken", encoding="utf-8")
    with pytest.raises(CitationError, match=r"references\.bib"):
        cite([text], "plos", tmp_path)


def test_methods_cite_by_their_name():
    assert works_on("Wilcoxon signed-rank test (pratt zeros), exact") == ("pratt1959",)
    assert works_on("Wilcoxon rank-sum test, exact conditional on ties") == ("wilcoxon1945",)
    assert works_on("Firth-penalised hazard ratio") == ("firth1993", "heinze2001")
    assert works_on("a method of our own") == ()


def test_a_template_without_a_place_for_the_list_cites_nothing():
    document = build_document(analysed(NAME), Wording(), "# Title\n\n{{ text: methods.statistics }}")
    assert not any(isinstance(f, Citation) for b in document.blocks for f in getattr(b, "text", Prose()))


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_of_single_patients_stand_in_the_report_alone(name, language):
    study = analysed(name)
    wording = Wording.of(language, study.config)
    rooms = {
        kind: {block.name for block in build(study, wording).blocks if isinstance(block, TableBlock)}
        for kind, build in (
            ("manuscript", build_document), ("supplement", build_supplement), ("report", build_report),
        )
    }  # fmt: skip
    assert not rooms["manuscript"] & rooms["supplement"]
    sent = rooms["manuscript"] | rooms["supplement"]
    assert sent < rooms["report"]
    assert {"table_s1_checks", "table_s2_rows"} & rooms["report"]
    assert not {"table_s1_checks", "table_s2_rows", "table_s9_discordant"} & sent


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_front_matter_is_headed_and_left_to_the_authors(language):
    study = analysed(NAME)
    blocks = build_document(study, Wording.of(language, study.config)).blocks
    prompts = [i for i, block in enumerate(blocks) if getattr(block, "role", "") == "prompt"]
    assert len(prompts) == 11
    assert all(isinstance(blocks[i - 1], Heading) for i in prompts)


def test_lines_of_the_manuscript_are_numbered_and_those_of_the_supplement_are_not():
    study = analysed(NAME)
    numbered = manuscript_bytes(build_document(study, Wording()))
    plain = manuscript_bytes(build_supplement(study, Wording()), supplement=True)
    for content, lines in ((numbered, True), (plain, False)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert ("lnNumType" in archive.read("word/document.xml").decode()) == lines
