"""A study's own levels of response, from raw files: which exist, their order, which count as response."""

from __future__ import annotations

import pytest

from helpers.analysis.response import count_responses, in_three_classes, responders_at_end
from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config
from helpers.report.figures.response import read_bars
from helpers.report.figures.style import level_styles
from helpers.report.tables.response import response_table
from helpers.results.store import StatisticsStore

SETTINGS = """title = "Levels"
provenance = "synthetic"
[[group]]
id = "new"
label = "New"
role = "treated"
day0 = "first dose"
[follow_up]
horizon_days = 56
[[visit]]
id = "baseline"
label = "Baseline"
day = 0
window = [-7, 0]
[[visit]]
id = "week_1"
label = "Week 1"
day = 7
window = [4, 10]
[[visit]]
id = "week_4"
label = "Week 4"
day = 28
window = [21, 35]
"""
FOUR = '[categories]\nresponse = ["CR", "PR", "SD", "PD"]\n'
OWN = """[[response.level]]
id = "good"
label = "Good improvement"
responds = true
raw_labels = ["A"]
[[response.level]]
id = "SD"
responds = true
[[response.level]]
id = "bad"
responds = false
"""


@pytest.fixture
def cohort(tmp_path):
    def write(settings, calls, dead=""):
        folder = tmp_path / "levels"
        folder.mkdir()
        (folder / "cohort.toml").write_text(SETTINGS + settings, encoding="utf-8")
        patients = sorted({line.split(",")[0] for line in calls})
        rows = [f"{p},new,40,female,{10 if p == dead else 60},{10 if p == dead else ''}" for p in patients]
        text = "\n".join(["patient_id,group,age,sex,last_contact_day,death_day", *rows]) + "\n"
        (folder / "patients.csv").write_text(text, encoding="utf-8")
        lines = "\n".join(["patient_id,day,response", *calls]) + "\n"
        (folder / "responses.csv").write_text(lines, encoding="utf-8")
        return folder

    return write


def counted(folder, tmp_path):
    config, tables = load_config(folder), clean_cohort(folder)
    store = StatisticsStore(tmp_path, "03")
    count_responses(tables, config, store, confidence=0.95)
    return config, tables, store.rows()


CALLS = ["P1,7,CR", "P2,7,partial response", "P3,7,SD", "P4,7,疾病进展", "P5,7,stable disease", "P1,28,CR",
         "P2,28,PD", "P3,28,PR", "P4,28,SD"]  # fmt: skip


def test_levels_are_counted_in_the_order_of_the_study(cohort, tmp_path):
    folder = cohort(FOUR, CALLS, dead="P5")
    assert [str(p) for p in check_cohort(folder)] == []
    config, tables, rows = counted(folder, tmp_path)
    assert [rows[f"response.class.new.week_1.{name}"].value for name in ("cr", "pr", "sd", "pd")] == [
        1,
        1,
        2,
        1,
    ]
    overall = rows["response.overall.new.week_1.rate"]
    assert (overall.value, overall.n) == (40, 5)
    # On day 28 P5 has died: without response, in the denominator, in none of the four levels.
    late = rows["response.class.new.week_4.pd"]
    assert (late.value, late.n, rows["response.class.new.week_4.dead"].value) == (1, 5, 1)
    assert rows["response.overall.new.week_4.rate"].value == 40
    assert rows["response.complete.new.week_4.count"].value == 1
    assert "response.class.new.week_4.nr" not in rows
    assert sorted(responders_at_end(tables, config)) == ["P1", "P3"]
    assert rows["response_transition.sd.new.week_4.to_died"].value == 1
    table = response_table(rows, config, watermark="")
    assert [column.label.parts[0] for column in table.columns][1:6] == ["CR", "PR", "SD", "PD", "Died"]
    bars = read_bars(rows, config, "new")
    assert bars[1].parts == {"cr": 1, "pr": 1, "sd": 1, "pd": 1, "died": 1}
    assert sum(map(bars[1].percent, bars[1].parts.values())) == pytest.approx(100)


def test_a_study_says_which_of_its_own_levels_respond(cohort, tmp_path):
    folder = cohort(OWN, ["P1,7,A", "P2,7,Good improvement", "P3,7,stable disease", "P4,7,bad"])
    assert [str(p) for p in check_cohort(folder)] == []
    config, tables, rows = counted(folder, tmp_path)
    assert config.responding == ("good", "SD")
    assert rows["response.overall.new.week_1.count"].value == 3
    # No level is a complete response: nothing is said of one.
    assert "response.complete.new.week_1.count" not in rows
    assert in_three_classes(tables.responses, config)["response"].tolist() == ["PR", "PR", "PR", "NR"]
    styles = level_styles(config)
    assert (
        len({style.colour for style in styles.values()})
        == len({style.marker for style in styles.values()})
        == 3
    )


def test_three_levels_stay_the_default(cohort, tmp_path):
    folder = cohort("", ["P1,7,CR", "P2,7,no response", "P3,7,部分缓解", "P4,7,NR"], dead="P4")
    config, _, rows = counted(folder, tmp_path)
    assert [level.id for level in config.response_levels] == ["CR", "PR", "NR"]
    assert rows["response.class.new.week_1.nr"].value == 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('[[response.level]]\nid = "better"\n', "responds = true or false"),
        ('[categories]\nresponse = ["CR", "better"]\n', "[[response.level]]"),
        (FOUR + '[[response.level]]\nid = "CR"\n', "the same levels of response"),
        ('[[response.level]]\nid = "CR"\n[[response.level]]\nid = "CR"\n', "different ids"),
    ],
)
def test_levels_that_cannot_be_told_are_an_error(cohort, settings, words):
    problems = [str(p) for p in check_cohort(cohort(settings, ["P1,7,CR"]))]
    assert any(words in problem for problem in problems), problems


def test_a_known_level_that_is_not_listed_says_how_to_list_it(cohort):
    (problem,) = check_cohort(cohort("", ["P1,7,CR", "P2,7,stable disease"]))
    assert "responses.csv:3 response: found 'stable disease'" in str(problem)
    assert "if SD is a level of this study, list its levels under [[response.level]]" in str(problem)
