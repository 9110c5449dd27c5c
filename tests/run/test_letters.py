"""Letters without a font are named before anything is drawn, and cost no report."""

import shutil

import pytest
from command import ROOT, compendium

from helpers.run.letters import letter_problems

EMBEDDED = ROOT / "data" / "cohorts" / "rdmas_reconstructed"


@pytest.fixture
def cohort(tmp_path):
    folder = tmp_path / "cohort"
    shutil.copytree(EMBEDDED, folder)
    return folder


def edit(cohort, old, new):
    settings = cohort / "cohort.toml"
    text = settings.read_text(encoding="utf-8")
    assert old in text
    settings.write_text(text.replace(old, new), encoding="utf-8")


def test_settings_in_latin_letters_need_nothing():
    assert letter_problems(EMBEDDED) == []


@pytest.mark.usefixtures("no_fetched_font")
def test_letters_of_settings_and_tables_are_named(cohort):
    edit(cohort, "[follow_up]", '[report]\ncjk_fonts = ["No Such Font"]\n\n[follow_up]')
    edit(cohort, 'label = "Ruxolitinib"', 'label = "芦可替尼"')
    events = cohort / "events.csv"
    events.write_text(
        events.read_text(encoding="utf-8").replace("cytomegalovirus infection", "感染", 1), encoding="utf-8"
    )
    [problem] = letter_problems(cohort)
    assert problem.severity == "warning"
    assert set("芦可替尼感染") <= set(problem.found)
    assert "a box for each" in problem.remedy
    assert "make chinese-font" in problem.remedy


@pytest.mark.usefixtures("no_fetched_font")
def test_a_language_without_a_font_leaves_figures_english(cohort):
    edit(cohort, "[follow_up]", '[report]\nlanguage = "zh"\ncjk_fonts = ["No Such Font"]\n\n[follow_up]')
    [problem] = letter_problems(cohort)
    assert "figures stay English" in problem.remedy


def test_check_prints_the_warning_and_finds_no_error(cohort):
    edit(cohort, 'label = "Ruxolitinib"', 'label = "سلام"')
    done = compendium("check", cohort)
    assert done.returncode == 0
    assert "letters that no installed font has: " in done.stderr
    assert "0 errors, 1 warning" in done.stdout
