"""Figures as layers: what each draws comes from stored statistics."""

import sys
import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

from helpers.cohort.report_settings import Report
from helpers.report.figures.course import Course
from helpers.report.figures.dose import draw_dose_ribbon
from helpers.report.figures.exposure import dose_shades, draw_exposure, exposure_height
from helpers.report.figures.exposure_shares import known_doses
from helpers.report.figures.output.check import check_file
from helpers.report.figures.output.fonts import installed_font
from helpers.report.figures.output.publish import publish_figure
from helpers.report.figures.response import draw_response_shares, read_bars
from helpers.report.figures.style import figure_style, new_figure
from helpers.report.figures.survival import draw_survival, draw_survival_kmunicate, survival_figure
from helpers.report.figures.survival_layers import (
    LayerError,
    censor_marks,
    effect,
    interval,
    median,
    names,
    p_value,
    risk_table,
)
from helpers.report.journals.requirements import journal_named
from helpers.results.store import Statistics

sys.path.insert(0, str(Path(__file__).parent))
from destinations import Place


@pytest.fixture
def counted(store, survival):
    """The survival statistics with cumulative deaths and censored at each tick."""
    for group, deaths in {"treated": (0, 1), "control": (3, 8)}.items():
        for day in range(0, 57, 7):
            common = {"group": group, "timepoint": f"day_{day}"}
            store.add("survival", "death", "cumulative_deaths", value=deaths[day > 20], **common)
            store.add("survival", "death", "cumulative_censored", value=4 * (day == 56), **common)
    return store.rows()


def drawn(figure, height=90):
    with figure_style():
        page, body = new_figure(120, height)
        figure.draw(body)
        page.draw_without_rendering()
    return page


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_curves_alone_have_no_band_no_mark_and_no_table(counted, config):
    (axes,) = drawn(survival_figure(counted, config)).axes
    assert len(axes.lines) == 2
    assert not axes.collections
    assert texts(axes) == []


def test_each_layer_adds_what_it_is_named_after(counted, config):
    base = survival_figure(counted, config)
    assert len(drawn(base + interval()).axes[0].collections) == 2
    marks = [line for line in drawn(base + censor_marks()).axes[0].lines if line.get_marker() == "|"]
    assert [list(line.get_xdata()) for line in marks] == [[56], [56]]
    assert texts(drawn(base + p_value()).axes[0]) == ["Log-rank p = 0.011"]
    assert base.layers == (), "adding a layer leaves the figure as it was"


def test_the_published_figure_is_a_sum_of_these_layers(counted, config):
    figure = survival_figure(counted, config) + interval() + censor_marks() + names() + effect()
    figure += risk_table("{n.risk} ({events})")
    with figure_style():
        page, body = new_figure(120, 90)
        draw_survival(body, counted, config)
        page.draw_without_rendering()
    for one, other in zip(drawn(figure).axes, page.axes, strict=True):
        assert texts(one) == texts(other)
        assert len(one.get_children()) == len(other.get_children())


def test_a_risk_table_shows_the_counts_of_its_template(counted, config):
    table = risk_table("{n.risk} ({events})")
    axes = drawn(survival_figure(counted, config) + table).axes[1]
    assert axes.get_title(loc="left") == "Number at risk (deaths so far)"
    assert texts(axes)[:4] == ["20 (0)", "20 (0)", "20 (0)", "19 (1)"]
    assert texts(axes)[9:12] == ["20 (3)", "20 (3)", "20 (3)"]


@pytest.mark.parametrize("template", ["{n.risks}", "at risk", "{n.risk} {deaths}"])
def test_an_unknown_count_in_a_template_is_refused(template):
    with pytest.raises(LayerError, match=r"expected n.risk, events"):
        risk_table(template)


def test_the_kmunicate_layout_has_three_rows_a_group(counted, config):
    with figure_style():
        page, body = new_figure(120, 110)
        draw_survival_kmunicate(body, counted, config)
        page.draw_without_rendering()
    table = page.axes[1]
    labels = [label.get_text() for label in table.get_yticklabels()]
    assert labels[:3] == ["Treated: at risk", "Treated: censored", "Treated: events"]
    rows = [texts(table)[i : i + 9] for i in range(0, 54, 9)]
    assert rows[1] == ["0"] * 8 + ["4"]
    assert rows[5] == ["3", "3", "3", "8", "8", "8", "8", "8", "8"]


def test_counts_that_older_results_lack_are_named(survival, config):
    with pytest.raises(LayerError, match="no censored counts"):
        drawn(survival_figure(survival, config) + risk_table(layout="kmunicate"))


def test_medians_are_marked_where_reached_and_said_where_not(store, survival, config):
    rows = [row for row in store.rows().values() if row.statistic != "median"]
    kept = [row for row in store.rows().values() if row.statistic == "median"]
    rows += [replace(kept[0]), replace(kept[1], value=42.0, lower=15.0, upper=float("nan"))]
    axes = drawn(survival_figure(Statistics(rows), config) + median()).axes[0]
    assert texts(axes) == ["Treated: median not reached\nHLH control: median 42 days (15 to NE)"]
    assert [round(float(x), 1) for x in axes.lines[2].get_xdata()] == [0, 42]


def test_the_test_of_the_configuration_is_the_one_printed(store, survival, configure):
    store.add("effect", "death", "test_logrank_exact", group="both", timepoint="day_56", p_value=0.0146)
    config = configure(survival={"test": "exact"})
    axes = drawn(survival_figure(store.rows(), config) + p_value()).axes[0]
    assert texts(axes) == ["Exact log-rank p = 0.015"]


@pytest.fixture
def responses(store):
    counts = {"week_1": (0, 9, 11, 0), "week_8": (6, 10, 4, 1)}
    for visit, values in counts.items():
        for name, value in zip(("cr", "pr", "nr", "dead"), values, strict=True):
            store.add("response", "class", name, group="treated", timepoint=visit, value=value, n=20)
    moves = {
        ("pr", "cr"): 5,
        ("pr", "pr"): 4,
        ("nr", "cr"): 1,
        ("nr", "pr"): 6,
        ("nr", "nr"): 3,
        ("nr", "died"): 1,
    }
    for (before, after), count in moves.items():
        store.add(
            "response_transition",
            before,
            f"to_{after}",
            group="treated",
            timepoint="week_8",
            value=count,
            n=20,
        )
    return store.rows()


@pytest.fixture
def weekly(configure):
    days = {"baseline": (0, [-7, 0]), "week_1": (7, [4, 10]), "week_8": (56, [49, 63])}
    visits = [
        {"id": name, "label": name.replace("_", " ").title(), "day": day, "window": window}
        for name, (day, window) in days.items()
    ]
    return configure(visit=visits)


def test_bars_hold_the_stored_counts_with_the_dead_on_top(responses, weekly):
    first, last = read_bars(responses, weekly, "treated")
    assert first.parts == {"cr": 0, "pr": 9, "nr": 11, "died": 0}
    assert last.parts == {"cr": 6, "pr": 10, "nr": 3, "died": 1}
    assert last.bottoms() == {"cr": 0, "pr": 30, "nr": 80, "died": 95}


def test_bands_fill_the_bars_that_they_join(responses, weekly):
    from matplotlib.patches import PathPatch

    with figure_style():
        page, body = new_figure(85, 80)
        draw_response_shares(body, responses, weekly)
        page.draw_without_rendering()
    axes = page.axes[0]
    assert texts(axes)[:2] == ["9\n(45%)", "11\n(55%)"]
    bands = [patch.get_path().vertices for patch in axes.patches if isinstance(patch, PathPatch)]
    assert len(bands) == 6
    for column, side in ((0, [0, 7]), (3, [3, 4])):  # where a band leaves and where it arrives
        spans = sorted(tuple(sorted(round(float(band[i, 1]), 6) for i in side)) for band in bands)
        assert spans[0][0] == 0, column
        assert spans[-1][1] == 100
        assert all(low[1] == high[0] for low, high in pairwise(spans))


def test_the_dead_who_leave_the_denominator_have_no_band(responses, weekly):
    config = weekly.model_copy(update={"response": weekly.response.model_copy(update={"dead_is": "missing"})})
    assert read_bars(responses, config, "treated")[1].parts["died"] == 0
    with figure_style():
        page, body = new_figure(85, 80)
        draw_response_shares(body, responses, config)
        tops = [patch.get_path().vertices[:, 1].max() for patch in page.axes[0].patches]
    assert max(tops) <= 100.0001


EXPOSURE = pd.DataFrame(
    {
        "patient_id": ["a", "b", "c"],
        "start_day": [0, 0, 0],
        "stop_day": [30.0, 12.0, 400.0],
        "last_day": [500.0, 12.0, 400.0],
        "died": [False, True, False],
        "ongoing": [False, False, True],
    }
)
COURSES = pd.DataFrame(
    {
        "patient_id": ["a", "a", "b", "c"],
        "drug": ["treated"] * 4,
        "start_day": [0, 10, 0, 0],
        "stop_day": [10.0, 30.0, 12.0, 400.0],
        "daily_dose": [20.0, 10.0, 10.0, 10.0],
        "unit": ["mg"] * 4,
    }
)
RESPONSES = pd.DataFrame({"patient_id": ["a", "c"], "day": [7, 9], "response": ["PR", "NR"]})


def exposure_page(config, responses=RESPONSES):
    with figure_style():
        page, body = new_figure(180, exposure_height(EXPOSURE))
        draw_exposure(body, EXPOSURE, COURSES, responses, config)
        page.draw_without_rendering()
    return page


def test_long_follow_up_has_a_panel_of_its_own_for_the_first_weeks(config):
    page = exposure_page(config)
    assert [axes.get_title(loc="left") for axes in page.axes] == ["Up to day 63", "All follow-up"]
    assert 63 <= page.axes[0].get_xlim()[1] < 66, "the visit of day 56 is held up to day 63"
    assert page.axes[1].get_xlim()[1] > 500


def test_exposure_shows_dose_death_and_what_goes_on(config):
    page = exposure_page(config)
    bars = page.axes[1].patches
    assert [(bar.get_x(), bar.get_width()) for bar in bars] == [(0, 10), (10, 20), (0, 12), (0, 400)]
    assert len({bar.get_facecolor() for bar in bars}) == 2
    body = page.subfigs[0] if page.subfigs else page
    legend = [text.get_text() for text in body.legends[0].get_texts()]
    assert {"Treated, 10 mg a day", "Treated, 20 mg a day", "Died", "Treated still taken"} <= set(legend)
    assert "Complete response" not in legend


def test_doses_are_darker_the_higher_and_alike_where_there_are_many():
    shades = dose_shades(known_doses(COURSES))
    assert list(shades) == [(10.0, "mg"), (20.0, "mg")]
    many = pd.DataFrame({"daily_dose": range(9), "unit": ["mg"] * 9})
    assert len(set(dose_shades(known_doses(many)).values())) == 1


def test_several_study_drugs_have_a_lane_and_a_colour_each(config):
    both = config.model_copy(update={"study_drugs": ("doxorubicin", "etoposide")})
    courses = COURSES.assign(drug=["etoposide", "etoposide", "doxorubicin", "etoposide"])
    exposure = pd.concat([EXPOSURE, EXPOSURE.iloc[:1].assign(stop_day=40.0, ongoing=True)])
    with figure_style():
        page, body = new_figure(180, exposure_height(exposure))
        draw_exposure(body, exposure, courses, RESPONSES, both)
        page.draw_without_rendering()
    bars = page.axes[1].patches
    assert len({bar.get_facecolor() for bar in bars}) == 2
    lanes = {bar.get_facecolor(): round(bar.get_y() % 1, 2) for bar in bars}
    assert len(set(lanes.values())) == 2
    assert len(page.axes[1].collections[0].get_segments()) == 3, "one line a patient, whatever the drugs"
    body = page.subfigs[0] if page.subfigs else page
    legend = {text.get_text() for text in body.legends[0].get_texts()}
    assert {"Doxorubicin", "Etoposide", "Study drug still taken"} <= legend


def dose_ribbon(store, config, summary):
    """Axes of the ribbon of doses whose stored summaries at two visits are given."""
    for name, values in (summary | {"n": (20, 19)}).items():
        for visit, value in zip(("baseline", "week_8"), values, strict=True):
            store.add("glucocorticoid", "dose", name, group="treated", timepoint=visit, value=value)
    at_baseline = summary["median"][0]
    patients = pd.DataFrame(
        {"patient_id": ["a"], "visit": ["baseline"], "value": [at_baseline], "qualifier": [""]}
    )
    with figure_style():
        page, body = new_figure(85, 80)
        draw_dose_ribbon(body, [Course("dose", "Dose", patients)], store.rows(), config)
        page.draw_without_rendering()
    return page.axes[0]


def test_small_doses_are_told_apart_in_words(store, config):
    """0.45 is below a low dose of 0.5, and "0.5" would not say so."""
    small = {
        "median": (0.45, 0.06),
        "q1": (0.4, 0.05),
        "q3": (0.5, 0.07),
        "min": (0.3, 0.0),
        "max": (0.7, 0.1),
    }
    assert {"0.45", "0.06"} <= set(texts(dose_ribbon(store, config, small)))


def test_a_dose_ribbon_shows_range_middle_half_and_median(store, config):
    summary = {"median": (2.7, 0.5), "q1": (2.4, 0.4), "q3": (3.2, 0.6), "min": (2.1, 0.2), "max": (4.7, 0.8)}
    axes = dose_ribbon(store, config, summary)
    ribbons = [mark for mark in axes.collections if isinstance(mark, PolyCollection)]
    outer, inner = (ribbon.get_paths()[0].vertices for ribbon in ribbons)
    assert (outer[:, 1].min(), outer[:, 1].max()) == (0.2, 4.7)
    assert (inner[:, 1].min(), inner[:, 1].max()) == (0.4, 3.2)
    assert list(axes.lines[0].get_xdata()) == [0, 56]
    assert {"2.7", "0.5", "20", "19"} <= set(texts(axes))


CHINESE = {"label": "历史对照", "id": "control", "role": "reference", "day0": "diagnosis"}
TREATED = {"label": "芦可替尼", "id": "treated", "role": "treated", "day0": "first dose"}


@pytest.mark.usefixtures("no_fetched_font")
def test_chinese_text_without_a_font_is_drawn_as_boxes_and_its_own_words_stay_english(
    tmp_path, survival, configure
):
    config = configure(group=[TREATED, CHINESE])
    place = Place(tmp_path, report=Report(language="zh", cjk_fonts=("No Such Font SC",)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the check of the cohort and that of the file name them
        publish_figure(place, "figure_1a", "single", 80, "Survival", draw_survival, survival, config)
    assert "at risk" in (place.figures / "figure_1a.svg").read_text(encoding="utf-8")
    faults = check_file(place.figures / "figure_1a.pdf", journal_named("generic"), "single")
    assert any(fault.fault == "letters" and "芦可替尼" in fault.found for fault in faults)


def test_chinese_text_is_set_in_the_font_asked_for(tmp_path, survival, configure):
    fonts = Report().cjk_fonts
    font = installed_font(fonts)
    if font is None:
        pytest.skip("no Chinese font is installed")
    place = Place(tmp_path, "模拟数据")
    config = configure(group=[TREATED, CHINESE])
    publish_figure(place, "figure_1a", "single", 80, "Survival", draw_survival, survival, config)
    svg = (place.figures / "figure_1a.svg").read_text(encoding="utf-8")
    assert "历史对照" in svg
    assert "模拟数据" in svg
    assert font in svg


def test_text_in_latin_letters_needs_no_such_font(tmp_path, survival, config):
    place = Place(tmp_path, report=Report(cjk_fonts=()))
    publish_figure(place, "figure_1a", "single", 80, "Survival", draw_survival, survival, config)
    assert (place.figures / "figure_1a.pdf").is_file()
