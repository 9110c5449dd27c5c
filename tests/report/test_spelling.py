"""American spelling as a setting: our English follows it; names, numbers and authors' words stay."""

from __future__ import annotations

import re
import shutil
import tomllib
from dataclasses import replace

import pytest
from analysed import NAME, ROOT, analysed
from matplotlib.figure import Figure

from helpers.cohort.check import check_cohort
from helpers.report.figures.output.language import put_into_language
from helpers.report.formats.rendered import shown
from helpers.report.tables.language import in_language
from helpers.report.tables.table import stored_tables
from helpers.report.text.blocks import Paragraph
from helpers.report.text.document import build_document, build_report, build_supplement
from helpers.report.text.spelling import american
from helpers.report.text.wording import Wording
from helpers.vocabulary.reading import shipped_vocabulary

# Endings and stems that only British spelling has, and words with them that both have.
BRITISH = re.compile(
    r"\b\w*(?:aem|oedem|rrhoea|tumour|coloured|[ct]entre|isation|[aeilmnr]lised|(?:an|in|on|er|ol|al|il)ise[ds]?"
    r"|(?<=[bvi])our\b|leuco|labell|modell|judgement|neighbour|behaviour|sceptic|aetiolog|[ty]yse[ds]?\b)\w*",
    re.IGNORECASE,
)
BOTH = {"otherwise"}


def british(text):
    return {word for word in BRITISH.findall(text) if word.lower() not in BOTH}


def texts(document):
    """Every text of a document: prose, titles, cells and notes of its tables."""
    for block in document.blocks:
        if isinstance(block, Paragraph):
            yield "" if block.role == "reference" else str(block.text)  # titles of works are quoted
        elif hasattr(block, "legend"):
            yield str(block.legend)
        elif hasattr(block, "table"):
            table = shown(block.table)
            yield from (table.caption, *(head.text for head in table.heads))
            yield from (cell.text for row in table.rows for cell in row.cells)
            yield from ("".join(run.text for run in runs) for _, runs in table.notes)
        elif hasattr(block, "text"):
            yield str(block.text)


@pytest.fixture(scope="module")
def documents():
    study = analysed(NAME)
    return [
        [text for build in (build_report, build_supplement)
         for text in texts(build(study, Wording.of(tag, study.config)))]
        for tag in ("en", "en-US")
    ]  # fmt: skip


def test_documents_hold_one_spelling_and_the_same_numbers(documents):
    ours, other = documents
    assert {word for text in ours for word in british(text)}, "the pattern sees British words"
    assert {word for text in other for word in british(text)} == set()
    assert [re.findall(r"\d+", text) for text in other] == [re.findall(r"\d+", text) for text in ours]
    changed = [(old, new) for old, new in zip(ours, other, strict=True) if old != new]
    assert all(american(old) == new for old, new in changed)


def test_our_own_texts_are_british_throughout():
    study = analysed(NAME)
    wording = Wording.of("en", study.config)
    words = tomllib.loads((ROOT / "src/helpers/report/text/en/spelling.toml").read_text())["american"]
    submitted = [
        text for build in (build_document, build_supplement) for text in texts(build(study, wording))
    ]
    found = {word.lower() for text in submitted for word in re.findall(r"[A-Za-z]+", text)}
    # Gray is who a test is named after; terms are those of CTCAE.
    assert found & set(words.values()) <= {"gray", "anemia", "hypertriglyceridemia"}


def test_slots_keys_and_names_stay():
    assert american("{centre} of [@normalised2001] favours Haemoglobin") == (
        "{centre} of [@normalised2001] favors Hemoglobin"
    )
    assert american("Gray's test") == "Gray's test"


def test_labels_of_the_vocabulary_follow():
    labels = [variable.label for variable in shipped_vocabulary().variables.values()]
    assert any(british(label) for label in labels)
    assert [label for label in map(american, labels) if british(label)] == []


def test_tables_and_figures_follow():
    study = analysed(NAME)
    wording = Wording.of("en-US", study.config)
    for table in stored_tables(ROOT / "results" / NAME / "tables"):
        told = shown(in_language(table, wording))
        said = [told.caption, *(cell.text for row in told.rows for cell in row.cells)]
        assert [text for text in said if british(text)] == []
    figure = Figure()
    figure.add_subplot().set_xlabel("Haemoglobin, standardised")
    put_into_language(figure, wording)
    assert figure.axes[0].get_xlabel() == "Hemoglobin, standardized"


def test_the_setting_is_known_and_a_wrong_one_named(tmp_path):
    cohort = tmp_path / "cohort"
    shutil.copytree(ROOT / "data" / "cohorts" / NAME, cohort)
    settings = cohort / "cohort.toml"
    before = settings.read_text(encoding="utf-8")
    settings.write_text(before + '\n[report]\nlanguage = "en-US"\n', encoding="utf-8")
    assert [str(one) for one in check_cohort(cohort) if one.severity == "error"] == []
    settings.write_text(before + '\n[report]\nlanguage = "en-AU"\n', encoding="utf-8")
    assert any("en-US" in str(one) for one in check_cohort(cohort))


def test_the_authors_title_stays():
    study = analysed(NAME)
    config = study.config.model_copy(update={"title": "Haemoglobin in Leicester"})
    document = build_report(replace(study, config=config), Wording.of("en-US", config))
    assert any(str(getattr(block, "text", "")) == "Haemoglobin in Leicester" for block in document.blocks)
