"""The graphical abstract: flow, curve, response and dose of any cohort at the journal's size."""

from __future__ import annotations

import pytest
from analysed import analysed
from matplotlib.text import Text

from helpers.cohort.cleaning import clean_cohort
from helpers.report.figures.compose import GRAPHICAL_ABSTRACT, graphical_abstract
from helpers.report.figures.output.publish import drawn
from helpers.report.figures.output.redraw import redraw_recipe
from helpers.report.journals.requirements import journal_named


def recipe(name, journal, tmp_path):
    """What is drawn of a cohort whose notebooks have run, its analysis tables cleaned anew."""
    study = analysed(name)
    results = tmp_path / "results"
    clean_cohort(study.folder).write(results / "data")
    (results / "statistics").symlink_to(study.results / "statistics")
    return graphical_abstract(study.folder, results, journal)


@pytest.mark.parametrize("journal", ["generic", "frontiers", "lancet", "plos"])
def test_the_files_have_no_fault(journal, tmp_path):
    chosen = journal_named(journal)
    found = redraw_recipe(recipe("rdmas_reconstructed", chosen, tmp_path), tmp_path, chosen, check=True)
    assert found.name == GRAPHICAL_ABSTRACT
    assert [str(fault) for fault in found.faults] == []
    assert {path.suffix for path in found.files} == {f".{suffix}" for suffix in chosen.formats}


@pytest.mark.parametrize(
    ("name", "said"), [("one_group", "Alive at day 56"), ("no_doses", "No glucocorticoid doses are recorded")]
)
def test_what_a_cohort_lacks_is_said_in_its_place(name, said, tmp_path):
    journal = journal_named("generic")
    with drawn(recipe(name, journal, tmp_path), journal) as figure:
        texts = " ".join(" ".join(text.get_text().split()) for text in figure.findobj(Text))
    assert said in texts.replace("\N{NO-BREAK SPACE}", " ")
    assert "nan" not in texts
