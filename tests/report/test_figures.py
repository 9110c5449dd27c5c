"""Figures: exact size, same bytes, watermarked, readable as text."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from helpers.report.figures.course import Course, draw_courses, short_label
from helpers.report.figures.output.export import FORMATS, _tidy_svg, chosen_formats
from helpers.report.figures.output.fonts import use_cjk_font, without_a_font
from helpers.report.figures.output.publish import publish_figure
from helpers.report.figures.output.recipes import recipe_names
from helpers.report.figures.response import draw_response_shares
from helpers.report.figures.survival import draw_survival
from helpers.report.figures.survival_data import read_survival

sys.path.insert(0, str(Path(__file__).parent))
from destinations import Place

STAMP = "Simulated data: not patients"


@pytest.fixture
def study(tmp_path):
    return Place(tmp_path, STAMP)


def test_a_figure_has_its_size_in_every_format_and_the_same_bytes_each_time(study, survival, config):
    contents = []
    for _ in range(2):
        publish_figure(study, "figure_1a", "single", 80, "Survival", draw_survival, survival, config)
        contents.append([(study.figures / f"figure_1a.{suffix}").read_bytes() for suffix in FORMATS])
    assert contents[0] == contents[1]
    for suffix in ("png", "tiff"):
        with Image.open(study.figures / f"figure_1a.{suffix}") as picture:
            assert picture.mode == "RGB"
            assert [round(float(dpi)) for dpi in picture.info["dpi"]] == [300, 300]
            assert picture.size == (1003, 944)  # 85 x 80 mm at 300 dots an inch
    with Image.open(study.figures / "figure_1a.tiff") as picture:
        assert picture.info["compression"] == "tiff_lzw"
    pdf = (study.figures / "figure_1a.pdf").read_bytes()
    assert b"CreationDate" not in pdf
    assert b"/MediaBox [ 0 0 240.94" in pdf


def test_watermark_and_numbers_are_text_in_the_svg(study, survival, config):
    publish_figure(study, "figure_1a", "single", 80, "Survival", draw_survival, survival, config)
    text = (study.figures / "figure_1a.svg").read_text(encoding="utf-8")
    assert STAMP in text
    assert "Log-rank p = 0.011" in text


def test_the_preview_is_a_picture(study, survival, config):
    saved = publish_figure(study, "x", "single", 80, "Survival", draw_survival, survival, config)
    assert saved._repr_png_()[0].startswith(b"\x89PNG")


def test_a_figure_is_saved_in_the_formats_chosen(study, survival, config):
    study.figure_formats = chosen_formats("svg")
    saved = publish_figure(study, "x", "single", 80, "Survival", draw_survival, survival, config)
    assert [path.name for path in study.figures.glob("x.*")] == ["x.svg"]
    with Image.open(io.BytesIO(saved._repr_png_()[0])) as picture:
        assert picture.size == (368, 346)  # 85 x 80 mm at 110 dots an inch


def test_without_formats_a_figure_is_not_drawn_but_can_be_later(study, survival, config):
    study.figure_formats = chosen_formats("")
    saved = publish_figure(study, "x", "single", 80, "Survival", draw_survival, survival, config)
    assert repr(saved) == "x: Survival"
    assert not study.figures.exists()
    with Image.open(io.BytesIO(saved._repr_png_()[0])) as picture:
        assert picture.size == (1, 1)
    assert recipe_names(study.recipes) == ["x"]


@pytest.mark.parametrize("place", ["ticks", "minor ticks", "category", "axis", "title"])
@pytest.mark.usefixtures("no_fetched_font")
def test_chinese_text_is_found_wherever_it_stands(place):
    text, axes = "第一周", Figure().subplots()
    if place == "ticks":
        axes.set_xticks([0, 1], labels=[text, "1"])
    elif place == "minor ticks":
        axes.set_xticks([0.5], labels=[text], minor=True)
    elif place == "category":
        axes.bar([text, "b"], [1, 2])
    elif place == "axis":
        axes.set_xlabel(text)
    else:
        axes.set_title(text)
    use_cjk_font(axes.figure, ["No Such Font", "DejaVu Sans Mono"])
    chosen = [one for one in axes.figure.findobj(Text) if "DejaVu Sans Mono" in one.get_fontfamily()]
    assert [one.get_text() for one in chosen] == [text]


@pytest.mark.usefixtures("no_fetched_font")
def test_letters_without_a_font_are_named_each_once():
    texts = ["Age ≥ 18 µg/L, β", "芦可替尼 or 芦", "سلام"]
    assert without_a_font(texts, ["No Such Font"]) == "اسلم可尼替芦"
    assert without_a_font(texts[:1], []) == ""


def test_formats_are_chosen_by_name():
    assert chosen_formats("svg, png") == ("svg", "png")
    assert chosen_formats("all") == FORMATS
    with pytest.raises(ValueError, match="found bmp, expected pdf, svg, png, tiff"):
        chosen_formats("svg,bmp")


def test_survival_data_hold_curve_counts_and_test(survival, config):
    data = read_survival(survival, config)
    assert data.horizon_days == 56
    assert data.ticks == list(range(0, 57, 7))
    assert data.at_risk["treated"][:4] == [20, 20, 20, 19]
    assert data.p_value == pytest.approx(0.0114)
    assert data.curves["treated"]["day"].tolist() == [19, 56]


@pytest.mark.parametrize("draw", [draw_survival, draw_response_shares])
def test_nothing_recorded_is_said_in_the_figure(study, store, config, draw):
    publish_figure(study, "empty", "single", 80, "Nothing", draw, store.rows(), config)
    text = (study.figures / "empty.svg").read_text(encoding="utf-8")
    assert ">No " in text
    assert "are recorded" in text


def test_a_course_shows_n_at_each_visit(study, store, config):
    for visit, n in {"baseline": 20, "week_8": 19}.items():
        for name, value in {"n": n, "median": 5.0, "q1": 4.0, "q3": 6.0}.items():
            store.add("laboratory", "ferritin", name, group="treated", timepoint=visit, value=value)
    patients = pd.DataFrame(
        {
            "patient_id": ["a", "a"],
            "visit": ["baseline", "week_8"],
            "value": [9.0, 2.0],
            "qualifier": [">", ""],
        }
    )
    courses = [Course("ferritin", "Ferritin, ng/mL", patients, log=True)]
    publish_figure(study, "course", "single", 80, "Course", draw_courses, courses, store.rows(), config)
    text = (study.figures / "course.svg").read_text(encoding="utf-8")
    assert ">20<" in text
    assert ">19<" in text


def test_long_names_give_way_to_abbreviations():
    long = SimpleNamespace(name="ast", label="Aspartate aminotransferase, U/L")
    short = SimpleNamespace(name="ferritin", label="Ferritin, ng/mL")
    assert (short_label(long), short_label(short)) == ("AST, U/L", "Ferritin, ng/mL")


def test_generated_ids_are_numbered_whatever_their_hash():
    first = b'<clipPath id="p767b291970"/><g clip-path="url(#p767b291970)"><use href="#m0e7a3f097f"/></g>'
    second = first.replace(b"p767b291970", b"p28d032dbdd")
    assert _tidy_svg(first) == _tidy_svg(second)
    assert _tidy_svg(first) == b'<clipPath id="p1"/><g clip-path="url(#p1)"><use href="#m2"/></g>'


def test_the_preview_has_the_words_of_the_figure(study, survival, config):
    saved = publish_figure(study, "x", "single", 80, "Survival", draw_survival, survival, config)
    assert saved._repr_png_()[1] == {"alt": "Survival"}
