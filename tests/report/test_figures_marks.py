"""Every mark that is drawn stands in the legend, every mark of the legend is drawn, and axes are true."""

import math
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from helpers.report.figures.baseline import balance_height, draw_balance
from helpers.report.figures.course import Course, draw_courses
from helpers.report.figures.dose import draw_dose_ribbon
from helpers.report.figures.exposure import draw_exposure
from helpers.report.figures.flow import draw_patient_flow
from helpers.report.figures.forest import draw_effects, effects_height
from helpers.report.figures.response import draw_response_paths, draw_response_shares
from helpers.report.figures.style import figure_style, new_figure
from helpers.report.figures.survival import draw_survival
from helpers.results.store import Statistics

sys.path.insert(0, str(Path(__file__).parent))

SIGNS = {">": "Above an assay's limit", "<": "Below an assay's limit"}


def page_of(draw, *arguments, width=180, height=110, **options):
    with figure_style():
        page, body = new_figure(width, height)
        draw(body, *arguments, **options)
        page.draw_without_rendering()
    return page


def legend(page):
    return {text.get_text() for box in page.legends for text in box.get_texts()}


@pytest.fixture
def visits(configure):
    days = {
        "baseline": (0, [-7, 0]),
        "week_1": (7, [4, 10]),
        "week_2": (14, [11, 17]),
        "week_8": (56, [49, 63]),
    }
    visit = [
        {"id": name, "label": name, "day": day, "window": window} for name, (day, window) in days.items()
    ]
    return configure(visit=visit)


def summarise(store, analysis, variable, group, medians):
    for visit, median in medians.items():
        values = {
            "median": median,
            "q1": median - 1,
            "q3": median + 1,
            "min": median - 2,
            "max": median + 2,
            "n": 9,
        }
        for name, value in values.items():
            store.add(analysis, variable, name, group=group, timepoint=visit, value=value)


MEDIANS = {"baseline": 9.0, "week_1": 7.0, "week_2": 6.0, "week_8": 5.0}


def course(qualifiers=("", "", "", ""), patients=1):
    rows = [
        (f"p{i}", visit, value, qualifier)
        for i in range(patients)
        for (visit, value), qualifier in zip(MEDIANS.items(), qualifiers, strict=True)
    ]
    return Course(
        "ferritin", "Ferritin", pd.DataFrame(rows, columns=["patient_id", "visit", "value", "qualifier"])
    )


@pytest.mark.parametrize("qualifiers", [("", "", "", ""), (">", "", "", ""), (">", "", "<", "")])
def test_a_course_names_the_limits_that_it_marks_and_no_others(store, visits, qualifiers):
    summarise(store, "laboratory", "ferritin", "treated", MEDIANS)
    page = page_of(draw_courses, [course(qualifiers)], store.rows(), visits)
    triangles = {line.get_marker() for line in page.axes[0].lines} & {"^", "v"}
    assert len(triangles) == len(set(qualifiers) - {""})
    assert legend(page) & set(SIGNS.values()) == {SIGNS[sign] for sign in set(qualifiers) - {""}}
    assert {"Treated: median", "Treated: quartiles", "Treated: one patient"} <= legend(page)
    assert "Reference range" not in legend(page)


def test_both_groups_stand_in_a_course_at_their_true_days(store, visits):
    summarise(store, "laboratory", "ferritin", "treated", MEDIANS)
    summarise(store, "laboratory", "ferritin", "control", {"baseline": 8.0, "week_8": 7.5})
    page = page_of(draw_courses, [course()], store.rows(), visits)
    (axes,) = page.axes
    assert [list(line.get_xdata()) for line in axes.lines] == [[0, 7, 14, 56], [0, 56]]
    assert list(axes.get_xticks()) == [0, 7, 14, 56]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "2", "8"]
    assert "HLH control: median" in legend(page)
    assert page.legends[0].get_title().get_text() == (
        "Weeks since day 0; Treated: first dose; HLH control: diagnosis"
    )


def test_of_more_patients_than_lines_the_range_is_drawn_and_named(store, visits):
    summarise(store, "laboratory", "ferritin", "treated", MEDIANS)
    few, many = (page_of(draw_courses, [course(patients=n)], store.rows(), visits) for n in (200, 201))
    assert "Treated: one patient" in legend(few)
    assert legend(many) & {"Treated: one patient", "Treated: range"} == {"Treated: range"}
    longest = {
        len(lines.get_paths()) for lines in many.axes[0].collections if isinstance(lines, LineCollection)
    }
    assert longest == {4}, "one line a visit"
    assert many.axes[0].get_ylim()[1] >= 11


def test_doses_of_both_groups_stand_at_their_true_days_with_the_threshold(store, visits):
    for group in ("treated", "control"):
        summarise(store, "glucocorticoid", "dose", group, MEDIANS)
    dose = Course("dose", "Dose", course().patients.assign(group="treated"))
    page = page_of(draw_dose_ribbon, [dose], store.rows(), visits)
    assert [axes.get_xlabel().replace("\n", " ") for axes in page.axes] == [
        "Weeks since first dose", "Weeks since diagnosis"
    ]  # fmt: skip
    for axes in page.axes:
        assert list(axes.lines[0].get_xdata()) == [0, 7, 14, 56]
        assert axes.lines[-1].get_ydata()[0] == visits.steroids.threshold_mg_per_kg
    assert f"Low dose ({visits.steroids.threshold_mg_per_kg:g} mg/kg/d)" in legend(page)
    assert "One patient" in legend(page)


@pytest.mark.parametrize("days", [100, 900])
def test_every_response_and_added_drug_stands_in_the_first_panel_that_reaches_it(config, days):
    exposure = pd.DataFrame(
        {
            "patient_id": ["a", "b"], "start_day": 0, "stop_day": 30.0, "last_day": [float(days), 90.0],
            "died": False, "ongoing": False,
        }
    )  # fmt: skip
    courses = exposure[["patient_id", "start_day", "stop_day"]].assign(
        drug="treated", daily_dose=10.0, unit="mg"
    )
    calls = pd.DataFrame({"patient_id": ["a", "b", "a"], "day": [7, 63, 80], "response": ["PR", "CR", "NR"]})
    added = pd.DataFrame(
        {"patient_id": ["b", "a"], "drug": ["ciclosporin", "etoposide"], "day": [12.0, 70.0]}
    )
    page = page_of(draw_exposure, exposure, courses, calls, config, added)
    assert len(page.axes) == (1 if days == 100 else 2)
    marks = {"o": [], "D": [], "s": [], "v": [], "*": []}
    for axes in page.axes:
        for line in axes.lines:
            if line.get_marker() in marks:
                marks[line.get_marker()] += list(line.get_xdata())
    early = {"o": {63}, "D": {7}, "v": {12}}
    assert {mark: set(found) for mark, found in marks.items()} == early | {"s": {80}, "*": {70}}
    assert all(marks[mark].count(day) == 1 for mark, (day,) in (early | {"s": {80}}).items() if mark != "v")
    named = {
        "Complete response",
        "Partial response",
        "No response",
        "Ciclosporin started",
        "Etoposide started",
    }
    assert named <= legend(page)


@pytest.mark.parametrize("groups", [("treated",), ("treated", "control")])
def test_counts_are_no_wider_than_their_bars_and_visits_stand_apart(store, visits, groups):
    for group in groups:
        for visit in MEDIANS:
            for name, value in zip(("cr", "pr", "nr", "dead"), (2, 3, 15, 1), strict=True):
                store.add("response", "class", name, group=group, timepoint=visit, value=value, n=20)
    page = page_of(draw_response_shares, store.rows(), visits, width=85, height=80)
    for axes in page.axes:
        bar = next(patch for patch in axes.patches if isinstance(patch, Rectangle)).get_window_extent()
        assert all(text.get_window_extent().width <= bar.width for text in axes.texts)
        labels = axes.get_xticklabels()
        turned = labels[0].get_rotation() == 45
        ends = [label.get_window_extent() for label in labels]
        # Of slanted lines the distance across counts.
        gaps = [(b.x1 - a.x1) * math.sin(math.pi / 4) if turned else b.x0 - a.x1 for a, b in pairwise(ends)]
        assert min(gaps) > (labels[0].get_fontsize() / 72 * page.dpi if turned else 0)


@pytest.fixture
def responses(store):
    for visit, counts in {"week_1": (0, 9, 11, 0), "week_8": (6, 10, 4, 1)}.items():
        for name, value in zip(("cr", "pr", "nr", "dead"), counts, strict=True):
            store.add("response", "class", name, group="treated", timepoint=visit, value=value, n=20)
    return store


def test_a_count_in_a_segment_is_its_height(responses, visits):
    (axes,) = page_of(draw_response_shares, responses.rows(), visits, width=85, height=80).axes
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(axes.texts) == 6
    for text in axes.texts:
        x, y = text.get_position()
        count, percent = (int(word.strip("()%")) for word in text.get_text().split())
        heights = {
            round(bar.get_height(), 6)
            for bar in bars
            if bar.get_x() < x < bar.get_x() + bar.get_width()
            and bar.get_y() < y < bar.get_y() + bar.get_height()
        }
        assert heights == {100 * count / 20}
        assert percent == round(100 * count / 20)


def test_the_legend_of_responses_holds_bands_and_deaths_where_they_are_drawn(responses, visits):
    bare = page_of(draw_response_shares, responses.rows(), visits, width=85, height=80)
    assert legend(bare) == {"Complete response", "Partial response", "No response", "Died"}
    responses.add("response_transition", "pr", "to_cr", group="treated", timepoint="week_8", value=5, n=20)
    banded = page_of(draw_response_shares, responses.rows(), visits, width=85, height=80)
    assert legend(banded) - legend(bare) == {"Same patients, next visit"}


def test_the_paths_of_thousands_are_few_blocks_as_high_as_their_patients(visits):
    random = np.random.default_rng(5)
    states = random.choice(["CR", "PR", "NR", "died"], size=(4000, 2))
    paths = pd.DataFrame(states, columns=["week_1", "week_8"])
    (axes,) = page_of(draw_response_paths, {"treated": paths}, visits).axes
    tiles = [path.get_extents() for blocks in axes.collections for path in blocks.get_paths()]
    assert len(tiles) <= 4 + 16, "the last visit sorts first"
    for column, name in enumerate(paths.columns):
        heights = sum(tile.height for tile in tiles if column < tile.x0 < column + 1)
        assert heights == pytest.approx(len(paths[name]))


def test_signs_and_band_of_the_balance_and_a_difference_without_finite_value(store):
    values = {"age": 0.4, "ferritin": -0.9, "fever": math.inf, "sex": -math.inf}
    common = {"group": "both", "timepoint": "baseline"}
    for name, value in values.items():
        store.add("baseline", name, "standardized_difference", value=value, n=41, **common)
    labels = {"ferritin": "A very long name of a laboratory value that needs two lines"}
    plain = page_of(draw_balance, store.rows(), labels, width=120)
    assert legend(plain) == {"Difference", "No finite value"}
    store.add("balance", "standardized_difference", "standard_error", value=0.31, n=41, **common)
    page = page_of(draw_balance, store.rows(), labels, width=120, height=balance_height(store.rows(), labels))
    assert legend(page) - legend(plain) == {"Within 2 standard errors of 0"}
    (axes,) = page.axes
    ends = {line.get_marker(): line.get_xdata()[0] for line in axes.lines if line.get_marker() in "<>"}
    assert ends == {">": axes.get_xlim()[1], "<": axes.get_xlim()[0]}
    assert sorted(line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o") == [-0.9, 0.4]
    boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_arrows_of_effects_point_off_the_axes_and_left_favours_the_treated(store):
    rows = {
        "cox_efron": (0.5, 0.0, 2.0),
        "rmst_ratio": (1.3, 0.9, math.inf),
        "odds_ratio_exact": (0.0, 0.0, 3.0),
    }
    for name, (value, lower, upper) in rows.items():
        store.add(
            "effect", "death", name, group="both", timepoint="day_56", value=value, lower=lower, upper=upper,
            p_value=0.2, unit="ratio",
        )  # fmt: skip
    page = page_of(draw_effects, store.rows(), height=effects_height(store.rows()))
    hazards, means = page.axes[0], page.axes[2]
    assert hazards.get_xlim()[0] < hazards.get_xlim()[1]
    assert means.get_xlim()[0] > means.get_xlim()[1], "more survival favours the treated, so it stands left"
    for axes in (hazards, means):
        arrows = [line for line in axes.lines if line.get_marker() in ("<", ">")]
        assert arrows
        for arrow in arrows:
            place = axes.transData.transform((arrow.get_xdata()[0], 0))[0]
            nearer_left = place - axes.bbox.x0 < axes.bbox.x1 - place
            assert arrow.get_marker() == ("<" if nearer_left else ">")
    squares = [line.get_xdata()[0] for line in hazards.lines if line.get_marker() == "s"]
    assert squares == [0.5], "an odds ratio of 0 has no place on a log scale"


@pytest.mark.parametrize(
    "label", ["Control", "Patients of the years before who received what was usual then"]
)
def test_text_of_the_flow_lies_in_its_box_and_boxes_lie_apart(store, configure, label):
    groups = [
        {"label": "Treated", "id": "treated", "role": "treated", "day0": "first dose"},
        {"label": label, "id": "control", "role": "reference", "day0": f"diagnosis in {label}"},
    ]
    flow = {"all.baseline.recorded": 44, "all.baseline.excluded": 3}
    for group in ("treated", "control"):
        flow |= {f"{group}.baseline.analysed": 20, f"{group}.horizon.alive": 18}
        flow |= {f"{group}.horizon.died": 1, f"{group}.horizon.censored": 1}
    for name, value in flow.items():
        group, timepoint, statistic = name.split(".")
        store.add("flow", "patients", statistic, group=group, timepoint=timepoint, value=value)
    store.add(
        "flow", "rows_patients", "excluded_no_date_of_diagnosis", group="all", timepoint="baseline", value=3,
        level="no date of diagnosis",
    )  # fmt: skip
    page = page_of(draw_patient_flow, store.rows(), configure(group=groups), width=120, height=105)
    (axes,) = page.axes
    boxes = [patch.get_window_extent() for patch in axes.patches if isinstance(patch, Rectangle)]
    texts = [text for text in axes.texts if text.get_text()]
    assert len(boxes) == len(texts) == 6
    assert "Excluded: 3 no date of diagnosis: 3" in {" ".join(text.get_text().split()) for text in texts}
    for text, around in zip(texts, boxes, strict=True):
        inside = text.get_window_extent()
        assert around.x0 <= inside.x0 <= inside.x1 <= around.x1
        assert around.y0 <= inside.y0 <= inside.y1 <= around.y1
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def _with(row, value):
    return replace(row, value=value, lower=max(0.0, value - 0.2), upper=min(1.0, value + 0.1))


CURVES = {
    "nobody died": ((1.0, 1.0), (1.0, 1.0)),
    "one group died": ((0.95, 0.95), (0.3, 0.0)),
    "all died at once": ((0.0, 0.0), (0.0, 0.0)),
    "crossing": ((0.5, 0.5), (0.9, 0.3)),
    "near each other": ((0.62, 0.6), (0.6, 0.58)),
    "low": ((0.3, 0.2), (0.25, 0.15)),
}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("long", [False, True])
def test_names_and_effects_touch_neither_a_curve_nor_each_other(survival, configure, name, long):
    rows = {row.id: row for row in survival.values()}
    for group, values in zip(("treated", "control"), CURVES[name], strict=True):
        for day, value in zip((19, 56), values, strict=True):
            key = f"survival.death.{group}.day_{day}.survival"
            rows[key] = _with(rows[key], value)
    label = "Patients of the years before who received what was usual then" if long else "HLH control"
    groups = [
        {"label": "Treated", "id": "treated", "role": "treated", "day0": "first dose"},
        {"label": label, "short_label": "Control", "id": "control", "role": "reference", "day0": "diagnosis"},
    ]
    page = page_of(
        draw_survival, Statistics(list(rows.values())), configure(group=groups), width=85, height=80
    )
    axes = page.axes[0]
    texts = [text for text in axes.texts if text.get_text()]
    boxes = [text.get_window_extent() for text in texts]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    for line in axes.lines:
        if line.get_marker() not in ("None", None, ""):
            continue
        for start, end in pairwise(axes.transData.transform(line.get_path().vertices)):
            (left, right), (low, high) = (sorted(pair) for pair in zip(start, end, strict=True))
            for around in boxes:
                across = left < around.x1 and right > around.x0
                assert not (across and low < around.y1 and high > around.y0), (name, around)
    named = {text.get_text().replace("\n", " ") for text in texts} | legend(page)
    assert {"Treated", label} <= {words.replace("\n", " ") for words in named}
    assert {"Confidence interval", "Censored"} <= legend(page)
