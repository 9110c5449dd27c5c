"""Faults planted in figure files are found; figures drawn for a journal have none."""

import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.text import Text
from PIL import Image

from helpers.report.figures.output.check import check_file
from helpers.report.figures.output.export import encoded
from helpers.report.figures.output.pdf_file import PdfError, PdfFile
from helpers.report.figures.output.pdf_text import read_page
from helpers.report.figures.output.publish import publish_figure
from helpers.report.figures.output.recipes import read_recipe
from helpers.report.figures.output.redraw import redraw_one
from helpers.report.figures.response import draw_response_shares
from helpers.report.figures.style import figure_style, new_figure
from helpers.report.figures.survival import draw_survival
from helpers.report.journals.requirements import journal_named

sys.path.insert(0, str(Path(__file__).parent))
from destinations import Place

GENERIC, FRONTIERS = journal_named("generic"), journal_named("frontiers")


def kinds(faults):
    return [fault.fault for fault in faults]


def draw(width=85.0, height=60.0, text="Survival", **place):
    """A plain figure with one text, as bytes by format."""
    figure, body = new_figure(width, height)
    axes = body.subplots()
    axes.plot([0, 1], [0, 1])
    if text:
        axes.text(*place.pop("at", (0.2, 0.8)), text, **place)
    return figure


@pytest.fixture
def save(tmp_path):
    def saved(figure, suffix="pdf", dpi=300, name="figure"):
        contents, _ = encoded(figure, "Test", formats=[suffix], dpi=dpi)
        path = tmp_path / f"{name}.{suffix}"
        path.write_bytes(contents[suffix])
        return path

    with figure_style():
        yield saved


@pytest.mark.parametrize("suffix", ["pdf", "svg", "png", "tiff"])
def test_a_sound_figure_has_no_fault(save, suffix):
    assert check_file(save(draw(), suffix), GENERIC, "single") == []


@pytest.mark.parametrize("suffix", ["pdf", "svg", "png", "tiff"])
def test_a_wrong_width_is_found_with_both_widths(save, suffix):
    (fault,) = check_file(save(draw(width=90), suffix), GENERIC, "single")
    assert (fault.file, fault.fault) == (f"figure.{suffix}", "width")
    assert float(fault.found.removesuffix(" mm")) == pytest.approx(90, abs=0.1)
    assert fault.expected == "85 mm (single column)"


def test_a_figure_higher_than_the_page_is_found(save):
    (fault,) = check_file(save(draw(height=250)), GENERIC, "single")
    assert str(fault) == "figure.pdf: height: found 250.0 mm, expected at most 240 mm"


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_a_low_resolution_is_found(save, suffix):
    (fault,) = check_file(save(draw(), suffix, dpi=150), GENERIC, "single")
    assert (fault.fault, fault.found, fault.expected) == ("resolution", "150 dpi", "at least 300 dpi")


def test_a_resolution_above_the_largest_is_found(save):
    (fault,) = check_file(save(draw(), "tiff", dpi=700), journal_named("plos"), "single")
    assert (fault.found, fault.expected) == ("700 dpi", "at most 600 dpi")


def test_a_raster_file_without_resolution_is_found(save):
    path = save(draw(), "png")
    with Image.open(path) as picture:
        picture.load()
        picture.info.clear()
        picture.save(path)
    assert kinds(check_file(path, GENERIC, "single")) == ["resolution"]


@pytest.mark.parametrize(
    ("mode", "found"),
    [("CMYK", "CMYK"), ("P", "palette"), ("RGBA", "RGB with an alpha channel"), ("L", "grey")],
)
def test_another_colour_mode_is_found(save, mode, found):
    path = save(draw(), "tiff")
    with Image.open(path) as picture:
        picture.convert(mode).save(path, compression="tiff_lzw", dpi=(300, 300))
    (fault,) = check_file(path, FRONTIERS, "single")
    assert (fault.fault, fault.found) == ("colour mode", found)


@pytest.mark.parametrize(("compression", "found"), [(None, "none"), ("tiff_adobe_deflate", "Deflate")])
def test_another_compression_is_found(save, compression, found):
    path = save(draw(), "tiff")
    with Image.open(path) as picture:
        picture.copy().save(path, compression=compression, dpi=(300, 300))
    (fault,) = check_file(path, FRONTIERS, "single")
    assert (fault.fault, fault.found, fault.expected) == ("compression", found, "LZW")


def test_a_tiff_of_two_pages_is_found(save):
    path = save(draw(), "tiff")
    with Image.open(path) as picture:
        page = picture.copy()
    page.save(path, compression="tiff_lzw", dpi=(300, 300), save_all=True, append_images=[page])
    assert kinds(check_file(path, FRONTIERS, "single")) == ["layers"]


@pytest.mark.parametrize("suffix", ["pdf", "svg"])
def test_text_below_the_smallest_size_is_found_with_its_words(save, suffix):
    (fault,) = check_file(save(draw(text="tiny words", fontsize=6), suffix), GENERIC, "single")
    assert (fault.fault, fault.found) == ("text size", "6.0 pt ('tiny words')")
    assert fault.expected == "at least 8 pt"


def test_text_made_small_by_scaling_is_found_too(save):
    figure = draw(text="$x_{small}$")
    for text in figure.findobj(Text):
        text.set_parse_math(True)  # figures of ours have none
    path = save(figure)
    assert kinds(check_file(path, GENERIC, "single")) == ["text size"]


def test_text_above_the_largest_size_is_found_but_not_the_letter_of_a_panel(save):
    (fault,) = check_file(save(draw(text="Huge", fontsize=20)), GENERIC, "single")
    assert (fault.found, fault.expected) == ("20.0 pt ('Huge')", "at most 12 pt")
    nature = journal_named("nature")
    with figure_style(nature):
        letter = save(draw(width=89, text="a", fontsize=nature.panel_letter, fontweight="bold"))
    assert check_file(letter, nature, "single") == []


def test_type_3_fonts_are_found(save):
    with mpl.rc_context({"pdf.fonttype": 3}):
        faults = check_file(save(draw()), GENERIC, "single")
    assert set(kinds(faults)) == {"font"}
    assert faults[0].found.endswith("as Type 3")


def test_a_font_that_is_not_embedded_is_found(save):
    with mpl.rc_context({"pdf.use14corefonts": True, "font.family": "Helvetica"}):
        faults = check_file(save(draw()), GENERIC, "single")
    assert set(kinds(faults)) == {"font"}
    assert faults[0].found == "Helvetica (Type 1), not embedded"


@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_letter_that_the_font_lacks_is_found(save):
    faults = check_file(save(draw(text="Lost \ue123 letter")), GENERIC, "single")
    assert "letters" in kinds(faults)


def test_text_outside_the_page_is_found(save):
    (fault,) = check_file(save(draw(text="far out", at=(0.98, 0.5), in_layout=False)), GENERIC, "single")
    assert fault.fault == "text cut off"
    assert fault.found.startswith("'far out'")
    assert fault.found.endswith("outside the page")


def test_text_cut_at_the_edge_of_its_panel_is_found(save):
    figure = draw(text="half in sight", at=(0.95, 0.5), clip_on=True)
    figure.set_layout_engine("none")
    figure.axes[0].set(xlim=(0, 1), position=(0.2, 0.2, 0.4, 0.6))
    (fault,) = check_file(save(figure), GENERIC, "single")
    assert fault.found.endswith("at the edge of its panel")


@pytest.mark.parametrize("turn", [0, 45])
def test_text_over_text_is_found_whatever_its_direction(save, turn):
    figure = draw(text="one label", rotation=turn)
    figure.axes[0].text(0.22, 0.81, "another", rotation=turn)
    (fault,) = check_file(save(figure), GENERIC, "single")
    assert (fault.fault, fault.found) == ("text over text", "'one label' over 'another'")


def test_slanted_labels_beside_each_other_do_not_overlap(save):
    figure = draw(text="first slanted label", rotation=45)
    figure.axes[0].text(0.32, 0.8, "second slanted label", rotation=45)
    assert check_file(save(figure), GENERIC, "single") == []


def test_cmyk_colours_of_a_page_are_found(save):
    with mpl.rc_context({"pdf.compression": 0}):
        path = save(draw())
    assert not read_page(PdfFile.read(path)).cmyk
    content, grey = path.read_bytes(), b"/DeviceRGB CS\n/DeviceRGB cs\n"
    assert grey in content
    path.write_bytes(content.replace(grey, b"0 0 0 1 k".ljust(len(grey)), 1))
    assert kinds(check_file(path, GENERIC, "single")) == ["colour mode"]


@pytest.mark.parametrize("content", [b"", b"no pdf", b"%PDF-1.5\nstartxref\n9\n%%EOF"])
def test_a_broken_pdf_is_a_fault_not_a_crash(tmp_path, content):
    path = tmp_path / "figure.pdf"
    path.write_bytes(content)
    assert kinds(check_file(path, GENERIC, "single")) == ["content"]
    with pytest.raises(PdfError):
        PdfFile(content)


def test_a_format_that_the_journal_does_not_take_is_found(save):
    (fault,) = check_file(save(draw(), "png"), FRONTIERS, "single")
    assert (fault.fault, fault.found) == ("format", "png")


def test_a_file_of_another_kind_than_its_name_says_is_found(save, tmp_path):
    path = save(draw(), "png").rename(tmp_path / "figure.tiff")
    assert kinds(check_file(path, GENERIC, "single")) == ["format"]


@pytest.mark.parametrize("name", ["frontiers", "nature", "lancet", "plos"])
def test_figures_redrawn_for_a_journal_have_its_size_and_no_fault(tmp_path, survival, config, name):
    place = Place(tmp_path, "Simulated data: not patients")
    journal = journal_named(name)
    publish_figure(place, "figure_1a", "single", 80, "Survival", draw_survival, survival, config)
    found = redraw_one(place.recipes, "figure_1a", tmp_path / name, journal, True)
    assert [file.suffix for file in found.files] == [f".{suffix}" for suffix in journal.formats]
    assert found.faults == ()
    if "tiff" in journal.formats:
        with Image.open(found.files[0]) as picture:
            assert picture.size[0] == pytest.approx(journal.single / 25.4 * 300, abs=1)


def test_redrawing_leaves_only_the_formats_of_the_journal(tmp_path, survival, config):
    place = Place(tmp_path)
    publish_figure(place, "figure_1a", "single", 80, "Survival", draw_survival, survival, config)
    folder = tmp_path / "frontiers"
    folder.mkdir()
    (folder / "figure_1a.png").write_bytes(b"of another day")
    redraw_one(place.recipes, "figure_1a", folder, FRONTIERS, False)
    assert sorted(path.name for path in folder.iterdir()) == ["figure_1a.jpeg", "figure_1a.tiff"]


def test_a_figure_lower_than_planned_has_smaller_text(tmp_path, survival, config):
    place, nature = Place(tmp_path), journal_named("nature")
    publish_figure(place, "high", "double", 200, "Survival", draw_survival, survival, config)
    (file,) = redraw_one(place.recipes, "high", tmp_path / "nature", nature, False).files
    page = read_page(PdfFile.read(file))
    assert page.height / 72 * 25.4 == pytest.approx(170, abs=0.1)
    assert {round(text.size, 2) for text in page.texts} == {round(7 * 170 / 200, 2)}


def test_the_recipe_holds_what_was_drawn(tmp_path, survival, config):
    place = Place(tmp_path, "watermark")
    publish_figure(place, "figure_1b", "single", 80, "Response", draw_response_shares, survival, config)
    recipe = read_recipe(place.recipes / "figure_1b.json")
    assert (recipe.draw, recipe.column, recipe.watermark) == (draw_response_shares, "single", "watermark")
    assert recipe.arguments[1] == config
