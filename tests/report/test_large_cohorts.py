"""Figures stay readable with many variables, many visits, hundreds of patients and years of follow-up."""

import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers.report.figures.baseline import draw_therapy_overlaps
from helpers.report.figures.common import label_every
from helpers.report.figures.course import Course, draw_courses, short_label
from helpers.report.figures.flow import draw_missing_map, missing_map_height
from helpers.report.figures.forest import draw_effects
from helpers.report.figures.output.publish import publish_figure
from helpers.report.figures.style import figure_style, new_figure
from helpers.report.figures.survival import draw_survival
from helpers.report.figures.visits import short_visit
from helpers.report.text.narrative import absent_narrative

sys.path.insert(0, str(Path(__file__).parent))
from destinations import Place


@pytest.fixture
def study(tmp_path):
    return Place(tmp_path)


def test_every_one_of_forty_variables_has_its_row_in_the_missing_map():
    names = [f"Variable {i}" for i in range(40)]
    columns = pd.MultiIndex.from_product([["A", "B"], ["Baseline", "Week 1"]])
    share = pd.DataFrame(np.linspace(0, 1, 160).reshape(40, 4), index=names, columns=columns)
    with figure_style():
        figure, body = new_figure(180, missing_map_height(share))
        draw_missing_map(body, share)
        figure.draw_without_rendering()
        labels = figure.axes[0].get_yticklabels()
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.y0)
    assert [label.get_text() for label in labels] == names
    assert all(low.y1 <= high.y0 for low, high in pairwise(boxes))
    assert missing_map_height(share.iloc[:16]) == 110


def test_labels_are_thinned_only_where_they_lack_room():
    assert label_every(["158", "0", "8w"], 5, 22) == 1
    assert label_every(["158", "10y"], 12, 22) == 2  # eleven gaps of two characters: every second has four
    assert label_every(["158", "10y"], 12, 18) == 3
    assert label_every([], 0, 22) == 1


def test_visits_have_short_names_in_days_weeks_months_and_years():
    days = [0, 3, 7, 56, 183, 365, 548, 3652]
    assert [short_visit(SimpleNamespace(day=day)) for day in days] == [
        "0",
        "3d",
        "1w",
        "8w",
        "6m",
        "1y",
        "1.5y",
        "10y",
    ]


def test_a_long_label_becomes_an_abbreviation_or_the_plain_name():
    named = {"alkaline_phosphatase": "Alkaline phosphatase, U/L", "ldh": "Lactate dehydrogenase, U/L"}
    short = [short_label(SimpleNamespace(name=name, label=label)) for name, label in named.items()]
    assert short == ["Alkaline phosphatase, U/L", "LDH, U/L"]


@pytest.mark.parametrize(("first", "last"), [(158, 119), (2000, 1893), (12345, 11893)])
def test_counts_above_a_course_do_not_touch(study, store, config, first, last):
    for visit, n in {"baseline": first, "week_8": last}.items():
        for name, value in {"n": n, "median": 5.0, "q1": 4.0, "q3": 6.0}.items():
            store.add("laboratory", "ferritin", name, group="treated", timepoint=visit, value=value)
    rows = [(f"{i}", visit, 5.0 + i, "") for i in range(158) for visit in ("baseline", "week_8")]
    patients = pd.DataFrame(rows, columns=["patient_id", "visit", "value", "qualifier"])
    courses = [Course("ferritin", "Ferritin, ng/mL", patients)] * 8
    with figure_style():
        figure, body = new_figure(180, 105)
        draw_courses(body, courses, store.rows(), config)
        figure.draw_without_rendering()
        for axes in figure.axes:
            boxes = sorted((text.get_window_extent() for text in axes.texts), key=lambda box: box.x0)
            assert [text.get_text() for text in axes.texts] == ["n", str(first), str(last)]
            assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))
            assert boxes[-1].x1 < figure.bbox.x1
            assert axes.collections[0].get_alpha() < 1


@pytest.mark.parametrize("count", [9, 1234])
def test_counts_of_combinations_of_therapies_do_not_touch(store, config, count):
    for name in ("none", "etoposide", "tacrolimus", "etoposide_and_tacrolimus", "ciclosporin"):
        for group in config.group_ids:
            store.add("prior_therapy_overlap", name, "n", group=group, timepoint="baseline", value=count)
    labels = {name: name.capitalize() for name in ("etoposide", "tacrolimus", "ciclosporin")}
    with figure_style():
        figure, body = new_figure(120, 85)
        draw_therapy_overlaps(body, store.rows(), config, labels)
        figure.draw_without_rendering()
        texts = figure.axes[0].texts
        boxes = sorted((text.get_window_extent() for text in texts), key=lambda box: box.x0)
    assert [text.get_text() for text in texts] == [str(count)] * 10
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))
    assert max(box.y1 for box in boxes) <= figure.axes[0].bbox.y1


def test_long_follow_up_is_counted_in_years_clear_of_the_group_names(store, config):
    for group in config.group_ids:
        store.add("survival", "death", "deaths", group=group, timepoint="day_4000", value=1, n=158)
        for day, at_risk in {0: 158, 730: 143, 1460: 115}.items():
            common = {"group": group, "timepoint": f"day_{day}"}
            store.add("survival", "death", "at_risk", value=at_risk, **common)
            store.add("survival", "death", "survival", value=1 - day / 4000, lower=0.1, upper=1.0, **common)
            store.add("survival", "death", "n_event", value=1, **common)
            store.add("survival", "death", "n_censor", value=0, **common)
    with figure_style():
        figure, body = new_figure(85, 80)
        draw_survival(body, store.rows(), config)
        figure.draw_without_rendering()
        upper, lower = figure.axes
        assert [label.get_text() for label in upper.get_xticklabels()] == ["0", "2", "4"]
        assert (
            upper.get_xlabel()
            == "Years (of 365 days) since day 0\nTreated: first dose\nHLH control: diagnosis"
        )
        first = min(text.get_window_extent().x0 for text in lower.texts)
        assert all(label.get_window_extent().x1 < first for label in lower.get_yticklabels())


def test_a_figure_without_doses_says_what_is_not_recorded(study, store, config):
    said = "No glucocorticoid doses are recorded in this cohort."
    publish_figure(study, "doses", "single", 80, "Doses", draw_courses, [], store.rows(), config, absent=said)
    assert "No glucocorticoid doses are" in (study.figures / "doses.svg").read_text(encoding="utf-8")


def test_a_notebook_says_whether_all_or_a_part_of_it_has_nothing_to_do(config):
    needs = ["events", "responses"]
    every = absent_narrative(config, needs, needs)._repr_markdown_()
    part = absent_narrative(config, ["events"], needs)._repr_markdown_()
    assert every.startswith("**Nothing to do in this notebook:**")
    assert "no tables events and responses." in every
    assert part.startswith("**Nothing to do here for part of this notebook:**")
    assert "no table events." in part


def test_a_small_effect_has_ticks_and_a_tiny_p_value_stays_on_its_axis(store):
    common = {"group": "both", "timepoint": "day_4000"}
    sure = {"value": 0.98, "lower": 0.94, "upper": 1.02, "p_value": 1e-9, "unit": "ratio"}
    store.add("effect", "death", "cox_efron", **sure, **common)
    store.add("effect", "death", "test_logrank_exact", value=float("nan"), n=312, **common)
    with figure_style():
        figure, body = new_figure(180, 80)
        draw_effects(body, store.rows())
        figure.draw_without_rendering()
        ratio, p_value, _, no_p_value = figure.axes
        low, high = ratio.get_xlim()
        assert [tick for tick in ratio.get_xticks() if low <= tick <= high] == [0.5, 1, 2]
        assert p_value.get_xlim()[0] == pytest.approx(0.001 / 1.5)
        assert p_value.lines[-1].get_marker() == "<"
        assert [text.get_text() for text in no_p_value.texts] == ["NE"]
