"""The Word file: the same bytes each time, real headings and captions, every number from its row."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace

import docx
import pytest
from analysed import NAME, QUICK, analysed
from docx.oxml.ns import qn
from manuscript_numbers import looked_up, part_spellings, strays
from PIL import Image

from helpers.report.formats.manuscript import manuscript_bytes, write_manuscript
from helpers.report.formats.rendered import shown
from helpers.report.text.blocks import Checklist, FigureBlock, Heading, Paragraph, TableBlock
from helpers.report.text.checklists import checklist_items
from helpers.report.text.document import build_document, build_report, build_supplement
from helpers.report.text.inline import TemplateError
from helpers.report.text.parts import PARTS, PartError
from helpers.report.text.phrases import exhibit_text
from helpers.report.text.prose import Citation
from helpers.report.text.wording import LANGUAGES, Wording


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request):
    return request.param


@pytest.fixture(scope="module")
def document(language):
    study = analysed(NAME)
    return build_report(study, Wording.of(language, study.config))


@pytest.fixture(scope="module")
def content(document):
    return manuscript_bytes(document)


@pytest.fixture(scope="module")
def word(content):
    return docx.Document(io.BytesIO(content))


def pieces(paragraph):
    """Texts of a paragraph with the statistic that each is a link to, or empty."""
    for child in paragraph._p:
        texts = "".join(node.text or "" for node in child.iter(qn("w:t")))
        yield texts, child.get(qn("w:tooltip"), "") if child.tag == qn("w:hyperlink") else ""


def test_the_same_results_give_the_same_bytes(document, content):
    assert manuscript_bytes(document) == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core)) == {"1980-01-01T00:00:00Z"}


def test_headings_are_headings_and_the_watermark_stands_on_every_page(word, document):
    found = [(p.style.name, p.text) for p in word.paragraphs if p.style.name.startswith(("Heading", "Title"))]
    expected = [b for b in document.blocks if isinstance(b, Heading)]
    assert [text for _, text in found] == [str(block.text) for block in expected]
    assert found[0][0] == "Title"
    assert {style for style, _ in found[1:]} == {"Heading 1", "Heading 2"}
    assert document.watermark
    assert word.sections[0].header.paragraphs[0].text == document.watermark
    assert any(p.text == document.watermark and p.style.name == "Stamp" for p in word.paragraphs)


def test_numbers_of_the_text_and_legends_are_links_to_their_rows(word, document):
    statistics, language = document.study.statistics, document.wording.language
    bookmarks = {node.get(qn("w:name")) for node in word.element.iter(qn("w:bookmarkStart"))}
    links = 0
    for paragraph in word.paragraphs:
        for text_shown, identifier in pieces(paragraph):
            if identifier:
                parts = {
                    text for part in PARTS for text in safe_spellings(statistics, identifier, part, language)
                }
                assert text_shown in parts, (text_shown, identifier)
                links += 1
    for link in word.element.iter(qn("w:hyperlink")):
        assert link.get(qn("w:anchor")) in bookmarks
    assert links > 250


def safe_spellings(statistics, identifier, part, language):
    try:
        return part_spellings(statistics, identifier, part, language)
    except PartError:  # the row does not have this part
        return set()


def test_no_other_number_stands_in_the_text(word, document):
    notes = {"Table Note", "Caption"}
    captions = {str(b.legend): b for b in document.blocks if isinstance(b, FigureBlock)}
    tables = [b for b in document.blocks if isinstance(b, TableBlock)]
    prose = [b.text for b in document.blocks if isinstance(b, Paragraph)]
    cited = {str(fragment) for text in prose for fragment in text if isinstance(fragment, Citation)}
    assert cited
    for paragraph in word.paragraphs:
        if paragraph.style.name == "Reference":
            continue
        if paragraph.style.name in notes and not any(text in paragraph.text for text in captions):
            continue  # of tables, which are looked up cell by cell
        texts = [text for text, identifier in pieces(paragraph) if not identifier]
        bare = " ".join(text for text in texts if text not in cited)
        assert strays(bare, document.study) == [], paragraph.text[:200]
    assert tables


def test_a_number_typed_by_hand_is_found(document):
    assert strays("Survival was 97.3% at day 56 in 27 patients.", document.study) == ["97.3", "27"]


def test_numbers_of_the_tables_are_those_of_their_rows(word, document):
    statistics, journal = document.study.statistics, document.study.config.report.journal
    blocks = [block for block in document.blocks if isinstance(block, TableBlock)]
    stored = [
        [cell.text.replace("\xa0", " ") for cell in row.cells] for table in word.tables for row in table.rows
    ]
    for block in blocks:
        for texts in looked_up(block.table, statistics, journal):
            assert any(same_row(row, texts) for row in stored), (block.name, texts)
    assert len(word.tables) == len(blocks) + 2


def same_row(cells, texts):
    """Compare printed cells with the expected ones; a printed one may end with signs of footnotes."""
    if len(texts) == 1:
        return set(cells) == {texts[0]} or cells[0].startswith(texts[0])
    return len(cells) == len(texts) and all(
        printed == text
        or (printed.startswith(text) and re.fullmatch(r"[a-z](,[a-z])*", printed[len(text) :]))
        for printed, text in zip(cells, texts, strict=True)
    )


def test_figures_stand_at_their_printed_width_with_300_dpi(word, document):
    blocks = [block for block in document.blocks if isinstance(block, FigureBlock)]
    assert len(word.inline_shapes) == len(blocks) > 10
    for shape, block in zip(word.inline_shapes, blocks, strict=True):
        with Image.open(block.stem.with_suffix(".png")) as picture:
            dpi = picture.info["dpi"][0]
            printed = picture.width / dpi * 25.4
        assert dpi == pytest.approx(300, abs=1)
        room = 210 - 2 * 25
        assert shape.width.mm <= room + 0.1
        if printed <= room:
            assert shape.width.mm == pytest.approx(printed, abs=0.1) or shape.height.mm > 200
        assert shape._inline.docPr.get("descr") == block.title


def test_every_exhibit_has_a_caption_with_its_label(word, document):
    captions = [p.text for p in word.paragraphs if p.style.name == "Caption"]
    labels = [b.label for b in document.blocks if isinstance(b, (FigureBlock, TableBlock))]
    assert len(labels) == len(set(labels))
    for label in labels:
        assert sum(re.match(rf"{label}(\. |　)", caption) is not None for caption in captions) == 1, label


def test_what_is_submitted_has_no_identifiers_of_rows_and_the_report_has(language):
    study = analysed(NAME)
    wording = Wording.of(language, study.config)

    def heads(document):
        tables = [block.table for block in document.blocks if isinstance(block, TableBlock)]
        verdict = next(table for table in tables if table.name == "table_s21_verdict")
        return [head.text for head in shown(verdict).heads]

    question, finding, row = (exhibit_text(word, wording) for word in ("Question", "Finding", "Row"))
    assert heads(build_supplement(study, wording)) == [question, finding]
    assert heads(build_report(study, wording)) == [question, finding, row]


def filled(study, language):
    blocks = build_supplement(study, Wording.of(language, study.config)).blocks
    return next(block.answers for block in blocks if isinstance(block, Checklist))


def test_the_settings_choose_the_checklists(language):
    study = analysed(NAME)
    for chosen, titles in {
        ("strobe",): ["STROBE"], ("record", "strobe"): ["RECORD", "STROBE"], ("target",): [], (): []
    }.items():  # fmt: skip
        report = study.config.report.model_copy(update={"checklists": chosen})
        asked = replace(study, config=study.config.model_copy(update={"report": report}))
        blocks = build_supplement(asked, Wording(language)).blocks
        lists = [i for i, block in enumerate(blocks) if isinstance(block, Checklist)]
        assert [str(blocks[i - 1].text)[:6].strip() for i in lists] == titles
        there = {block.name for block in blocks if isinstance(block, TableBlock)}
        assert ("table_s27_reporting" in there) == ("target" in chosen)
        blocks = build_document(asked, Wording(language)).blocks
        text = " ".join(str(block.text) for block in blocks if hasattr(block, "text"))
        named = [name for name in ("strobe", "record", "target") if name.upper() in text]
        assert sorted(named) == sorted(chosen)


def test_every_strobe_item_is_answered_or_left_to_the_authors(language):
    study = analysed(NAME)
    answers = filled(study, language)
    numbers = [answer.number for answer in answers]
    assert numbers == list(checklist_items("strobe"))
    assert {re.match(r"\d+", number)[0] for number in numbers} == {str(n) for n in range(1, 23)}
    left = {answer.number for answer in answers if answer.answered == "authors"}
    assert left >= {"1a", "1b", "2", "3", "10", "18", "20", "21", "22"}
    headings = {
        str(b.text) for b in build_document(study, Wording(language)).blocks if isinstance(b, Heading)
    }
    for answer in answers:
        for place in re.findall(r"(?:Methods|Results), ([^;]+)|(?:方法|结果)，([^；]+)", answer.where):
            assert "".join(place) in headings, answer


def test_an_item_without_data_is_left_to_the_authors():
    by_number = {answer.number: answer for answer in filled(analysed("one_group"), "en")}
    assert by_number["16c"].answered == "authors"
    study = analysed("no_doses")
    named = set(re.findall(r"(?:Table|Figure) S?\d+[a-z]?", " ".join(a.where for a in filled(study, "en"))))
    assert named <= {getattr(block, "label", "") for block in build_report(study, Wording()).blocks}


@pytest.mark.parametrize("name", QUICK)
def test_exhibits_without_data_are_left_out(name):
    study = analysed(name)
    names = {getattr(block, "name", "") for block in build_report(study, Wording()).blocks}
    assert ("figure_2" in names) == bool(study.statistics.select(analysis="glucocorticoid"))
    assert ("table_5_glucocorticoid" in names) == bool(study.statistics.select(analysis="glucocorticoid"))
    assert ("figure_s7_effects" in names) == bool(study.statistics.select(analysis="effect"))
    assert ("figure_3_published" in names) == (study.config.ledger is not None)


def test_a_cohort_may_bring_its_own_template(tmp_path):
    study = analysed(NAME)
    own = replace(study, folder=tmp_path)
    (tmp_path / "cohort.toml").write_text("", encoding="utf-8")
    (tmp_path / "manuscript.md").write_text(
        "# Our title\n\n{{ watermark }}\n\n## Finding\n\n"
        "Of {{ flow.patients.all.baseline.recorded }} patients, "
        "{{ survival.death.control.day_56.deaths | of }} controls died.\n\n"
        "- {{ survival.death.both.day_{horizon}.logrank | p }}\n\n{{ figures: main }}\n",
        encoding="utf-8",
    )
    path = write_manuscript(own, tmp_path / "out" / "manuscript.docx", "en")
    texts = [p.text for p in docx.Document(str(path)).paragraphs]
    assert "Of 41 patients, 8/21 controls died." in texts
    assert "p = 0.011" in texts
    assert "Our title" in texts
    with pytest.raises(TemplateError, match=r"no text 'results\.cost'; texts are methods\.design"):
        build_document(study, Wording(), "{{ text: results.cost }}")
