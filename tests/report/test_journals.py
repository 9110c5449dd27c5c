"""Journals: complete, consistent, and known to the settings of a cohort."""

import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from helpers.cohort.report_settings import Report
from helpers.report.figures.common import say_absent
from helpers.report.figures.output.drawings import RecipeError
from helpers.report.figures.output.export import encoded
from helpers.report.figures.output.publish import publish_figure
from helpers.report.figures.output.recipes import read_recipe, write_recipe
from helpers.report.figures.output.redraw import chosen_figures
from helpers.report.figures.style import character_mm, figure_style, new_figure, panel_letter, text_size
from helpers.report.journals.requirements import COLUMNS, Journal, JournalError, journal_named, journals
from helpers.report.journals.table_themes import themes

sys.path.insert(0, str(Path(__file__).parent))
from destinations import Place


def test_every_file_is_a_journal_with_its_tables():
    assert next(iter(journals())) == "generic"
    assert set(journals()) == set(themes()) > {"frontiers", "nature", "lancet", "nejm", "jama", "plos"}


def test_frontiers_asks_for_what_its_authors_are_told():
    frontiers = journal_named("frontiers")
    assert [frontiers.width(column) for column in COLUMNS] == [85, 180, 180]
    assert (frontiers.dpi, frontiers.min_text, frontiers.colour, frontiers.compression) == (
        300,
        8,
        "RGB",
        "lzw",
    )
    assert set(frontiers.formats) == {"tiff", "jpeg"}


def test_without_a_journal_figures_are_as_wide_as_they_were():
    assert [journal_named("generic").width(column) for column in COLUMNS] == [85, 120, 180]


def test_nature_was_read_at_its_source():
    nature = journal_named("nature")
    assert (nature.single, nature.double, nature.max_height) == (89, 183, 170)
    assert (nature.min_text, nature.max_text) == (5, 7)
    assert set(nature.unverified) == {"one_and_a_half", "accepted", "compression"}


@pytest.mark.parametrize("name", journals())
def test_every_journal_says_where_its_values_stand_or_that_they_are_its_own(name):
    journal = journal_named(name)
    assert journal.source.startswith("http") or name == "generic"
    assert not set(journal.verified) & set(journal.unverified)
    assert journal.note


def test_an_unknown_journal_or_column_is_refused_with_the_known_ones():
    with pytest.raises(JournalError, match=r"No journal 'frontier'.*nejm.*Did you mean 'frontiers'"):
        journal_named("frontier")
    with pytest.raises(JournalError, match="no column 'wide'; columns are single"):
        journal_named("plos").width("wide")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"text": 4.0}, "text between"),
        ({"single": 200.0}, "widths in order"),
        ({"verified": ("colours",)}, "verified names values"),
        ({"widht": 3}, "widht"),
    ],
)
def test_contradictions_in_a_journal_are_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        Journal(**(journal_named("nature").model_dump() | values))


@pytest.mark.parametrize("name", ["generic", "nature"])
def test_text_and_panel_letters_follow_the_journal(name):
    journal = journal_named(name)
    with figure_style(journal):
        _, body = new_figure(journal.single, 50, watermark="Simulated")
        axes = body.subplots()
        axes.set_xlabel("Days")
        panel_letter(body, "A")
        assert text_size() == journal.text
        assert axes.xaxis.label.get_fontsize() == journal.text
        letter = body._suptitle
        assert (letter.get_text(), letter.get_fontsize()) == (
            {"generic": "A", "nature": "a"}[name],
            journal.panel_letter,
        )
        narrow = character_mm()
    with figure_style():
        assert text_size() == 8
        assert character_mm() == pytest.approx(narrow * 8 / journal.text)


def test_a_figure_is_drawn_for_the_journal_of_its_cohort(tmp_path):
    place = Place(tmp_path, report=Report(journal="lancet"))
    publish_figure(place, "plain", "single", 50, "Plain", say_absent, "Nothing to see")
    svg = (place.figures / "plain.svg").read_text(encoding="utf-8")
    assert f'width="{75 / 25.4 * 72:.6f}'.rstrip("0") in svg


def test_a_recipe_that_cannot_be_kept_says_why(tmp_path):
    with pytest.raises(RecipeError, match="no registered drawing function"):
        publish_figure(Place(tmp_path), "figure_x", "single", 50, "x", lambda _: None)


def test_a_missing_or_broken_recipe_says_how_to_get_it(tmp_path):
    with pytest.raises(RecipeError, match="compendium run --force"):
        chosen_figures(tmp_path, [])
    with pytest.raises(RecipeError, match=r"No recipe of figure_9. Figures that can be drawn: none"):
        chosen_figures(tmp_path, ["figure_9"])
    with pytest.raises(RecipeError, match=r"figure_9 has no recipe.*--force"):
        read_recipe(tmp_path / "figure_9.json")
    (tmp_path / "figure_8.json").write_bytes(b"half a file")
    with pytest.raises(RecipeError, match=r"figure_8\.json cannot be read"):
        read_recipe(tmp_path / "figure_8.json")


def test_recipes_are_written_whole_and_alike(tmp_path):
    place = Place(tmp_path)
    publish_figure(place, "plain", "single", 50, "Plain", say_absent, "Nothing to see")
    path = place.recipes / "plain.json"
    first = path.read_bytes()
    write_recipe(place.recipes, read_recipe(path))
    assert path.read_bytes() == first
    assert [file.name for file in place.recipes.iterdir()] == ["plain.json"]


def test_a_layout_made_of_pixels_holds_on_the_page():
    """Letters have one width in the picture and in the PDF."""
    from helpers.report.figures.output.pdf_file import PdfFile
    from helpers.report.figures.output.pdf_text import read_page

    with figure_style():
        figure, body = new_figure(85, 40)
        axes = body.subplots()
        axes.set_yticks([0], labels=["Intravenous immunoglobulin, g a day"])
        _, picture = encoded(figure, "Label", formats=["png"], dpi=300)
        label = axes.get_yticklabels()[0].get_window_extent()
        contents, _ = encoded(figure, "Label", formats=["pdf"], dpi=300)
    text = next(text for text in read_page(PdfFile(contents["pdf"])).texts if text.text.startswith("Intra"))
    left, _, right, _ = text.box
    assert right - left == pytest.approx(label.width / 300 * 72, rel=0.01)
    assert picture.size == (1003, 472)
