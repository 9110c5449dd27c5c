"""Figures of hundreds and thousands of patients: counts that add up, in place of a line or tile a patient."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.report.figures.criteria import CriteriaPicture, criteria_height, draw_criteria
from helpers.report.figures.exposure import course_shades, draw_exposure, exposure_height
from helpers.report.figures.exposure_shares import daily_states
from helpers.report.figures.output.publish import publish_figure
from helpers.report.figures.style import figure_style, new_figure

sys.path.insert(0, str(Path(__file__).parent))
from destinations import Place

LARGEST_SVG = 200_000


def legend(page):
    return {text.get_text() for box in page.legends for text in box.get_texts()}


def exposed(n):
    """n patients, of whom every tenth dies on day 20, on 10 mg to day 10 and on 20 mg to day 30 or death."""
    died = np.arange(n) % 10 == 0
    names = [f"p{i}" for i in range(n)]
    last = np.where(died, 20.0, 60.0)
    exposure = pd.DataFrame(
        {
            "patient_id": names, "start_day": 0, "stop_day": np.minimum(30.0, last), "last_day": last,
            "died": died, "ongoing": False,
        }
    )  # fmt: skip
    low = pd.DataFrame(
        {
            "patient_id": names,
            "drug": "treated",
            "start_day": 0,
            "stop_day": 10.0,
            "daily_dose": 10.0,
            "unit": "mg",
        }
    )
    high = low.assign(start_day=10, stop_day=exposure["stop_day"], daily_dose=20.0)
    return exposure, pd.concat([low, high], ignore_index=True)


def test_states_of_a_day_are_those_of_the_patients_and_add_up(config):
    exposure, courses = exposed(40)
    days, counts = daily_states(exposure, courses, course_shades(courses, config), 70)
    assert (sum(counts.values()) == 40).all()
    at = {
        day: {name: int(count[days == day][0]) for name, count in counts.items()}
        for day in (0, 10, 20, 30, 61)
    }
    low, high = "Treated, 10 mg a day", "Treated, 20 mg a day"
    nothing = {low: 0, high: 0, "off": 0, "ended": 0, "died": 0}
    assert at == {
        0: nothing | {low: 40},
        10: nothing | {high: 40},
        20: nothing | {high: 36, "died": 4},
        30: nothing | {"off": 36, "died": 4},
        61: nothing | {"ended": 36, "died": 4},
    }


def test_a_dose_that_is_not_known_is_a_state_of_its_own(config):
    exposure, courses = exposed(10)
    courses = courses.assign(daily_dose=[np.nan] * 10 + [5.0] * 5 + [20.0] * 5)
    _, counts = daily_states(exposure, courses, course_shades(courses, config), 70)
    assert counts["Treated, dose unknown"][0] == 10


def test_drugs_taken_together_are_a_state_of_their_own(config):
    both = config.model_copy(update={"study_drugs": ("doxorubicin", "etoposide")})
    exposure, courses = exposed(10)
    courses = courses.assign(drug=["etoposide"] * 10 + ["doxorubicin"] * 10, start_day=[0] * 10 + [5] * 10)
    days, counts = daily_states(exposure, courses, course_shades(courses, both), 70)
    assert (sum(counts.values()) == 10).all()
    assert counts["Doxorubicin + Etoposide"][days == 7] == [10]
    assert counts["Etoposide"][days == 2] == [10]


@pytest.mark.parametrize(("n", "lines"), [(80, True), (81, False), (4000, False)])
def test_exposure_of_many_is_drawn_as_shares_with_their_own_legend(config, n, lines):
    exposure, courses = exposed(n)
    responses = pd.DataFrame({"patient_id": [], "day": [], "response": []})
    with figure_style():
        page, body = new_figure(180, exposure_height(exposure))
        draw_exposure(body, exposure, courses, responses, config)
        page.draw_without_rendering()
    ends = (
        {"Alive at last contact", "Follow-up"} if lines else {"Follow-up ended", "Followed, drug not taken"}
    )
    assert {"Treated, 10 mg a day", "Treated, 20 mg a day", "Died"} | ends == legend(page)
    if not lines:
        assert page.axes[0].get_ylabel() == f"Share of {n} patients (%)"
        assert len(page.axes[0].collections) == 5


STATES = ("met", "not met", "undetermined")


def diagnoses(n):
    random = np.random.default_rng(3)
    names = [f"p{i}" for i in range(n)]
    group = np.where(np.arange(n) < n / 2, "treated", "control")
    verdicts = pd.DataFrame({"patient_id": names, "group": group})
    titles = {"hlh_2004": "HLH-2004", "hscore": "HScore"}
    for name in titles:
        verdicts[name] = random.choice(STATES, n)
    score = random.integers(60, 250, n)
    scores = pd.DataFrame({"patient_id": names, "score": score, "score_highest": score + 30})
    return CriteriaPicture(titles, list(titles), verdicts, scores, 169.0)


@pytest.mark.parametrize("n", [61, 4000])
def test_criteria_of_many_are_counts_whose_segments_are_as_long_as_they_say(config, n):
    found = diagnoses(n)
    with figure_style():
        page, body = new_figure(180, criteria_height(found))
        draw_criteria(body, found, config)
        page.draw_without_rendering()
    bars, curves = page.axes
    sizes = found.verdicts["group"].value_counts()
    assert len(bars.patches) == 2 * 2 * 3
    rows = dict(zip(bars.get_yticks(), [label.get_text() for label in bars.get_yticklabels()], strict=True))
    for text in bars.texts:
        x, y = text.get_position()
        group = "control" if "control" in rows[y] else "treated"
        (bar,) = [
            bar for bar in bars.patches if bar.get_window_extent().contains(*bars.transData.transform((x, y)))
        ]
        assert bar.get_width() * sizes[group] / 100 == pytest.approx(int(text.get_text()))
    cut = {line.get_label(): line.get_xdata()[0] for line in curves.lines}
    assert cut["Cut-off of the HScore: 169"] == 169
    assert {state.capitalize() for state in STATES} | set(cut) == legend(page)


@pytest.mark.parametrize("n", [41, 4000])
def test_a_figure_of_criteria_is_a_small_file(tmp_path, config, n):
    found = diagnoses(n)
    place = Place(tmp_path, figure_formats=("svg",))
    publish_figure(place, "s8", "double", criteria_height(found), "Criteria", draw_criteria, found, config)
    assert (place.figures / "s8.svg").stat().st_size < LARGEST_SVG
