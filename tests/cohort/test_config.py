import re
import tomllib

import pytest

from helpers.cohort.config import key_lines, load_config, read_config
from helpers.cohort.guide import skeleton_config, toml_value
from helpers.cohort.settings import CohortConfig
from helpers.problems import CohortError


def faults(folder):
    return [(p.row, p.column, p.found, p.expected) for p in read_config(folder).problems]


def test_small_configuration_loads_with_defaults(cohort):
    config = load_config(cohort.path)
    assert config.group_ids == ("ruxolitinib", "control")
    assert config.treated.label == "Ruxolitinib"
    assert config.reference.short_label == "Control"
    assert config.baseline_visit.window == (-7, 3)
    assert config.visit("week_1").day == 7
    assert config.windowing.tie == "earlier"
    assert config.steroids.threshold_mg_per_kg == 0.5
    assert "no record is a real patient" in config.data_note
    with pytest.raises(KeyError, match="baseline, week_1, week_2"):
        config.visit("week_9")


def test_every_key_is_documented():
    undocumented = []

    def walk(model, path):
        for name, field in model.model_fields.items():
            if not (field.description or "").strip():
                undocumented.append(f"{path}.{name}")
            for inner in _models(field.annotation):
                walk(inner, f"{path}.{name}")

    walk(CohortConfig, "cohort")
    assert undocumented == []


def _models(annotation):
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for a in getattr(annotation, "__args__", ()) for m in _models(a)]


def test_several_errors_are_reported_at_once_with_key_and_line(cohort):
    cohort.replace("cohort.toml", 'provenance = "synthetic"', 'provenance = "imagined"')
    cohort.replace("cohort.toml", 'role = "reference"', 'role = "refrence"')
    cohort.replace("cohort.toml", "day = 7", "day = 17")
    cohort.append(
        "cohort.toml", '[units]\nferritin = "stone"\nferitin = "ng/mL"\n[tables.patient]\nfile = "x.csv"\n'
    )
    assert faults(cohort.path) == [
        (2, "provenance", "'imagined'", "'real', 'reconstructed' or 'synthetic'"),
        (17, "group[2].role", "'refrence'", "'treated' or 'reference'"),
        (
            26,
            "visit[2]",
            "{'id': 'week_1', 'label': 'Week 1', 'day': 17, 'window': [4, 10]}",
            "a window (first day, last day) that contains the visit's day 17",
        ),
        (38, "units.ferritin", "'stone'", "ng/mL, ug/L, ug/dL, mg/L, pmol/L"),
        (39, "units.feritin", "'feritin'", "a name of the vocabulary"),
        (
            40,
            "tables.patient",
            "'patient'",
            "'patients', 'measurements', 'treatments', 'responses' or 'events'",
        ),
    ]
    with pytest.raises(CohortError) as refusal:
        load_config(cohort.path)
    assert len(refusal.value.problems) == 6


@pytest.mark.parametrize(
    ("old", "new", "key", "remedy"),
    [
        ('title = "Small cohort"', 'title = "x"\ntitel = "y"', "titel", "did you mean 'title'?"),
        ('title = "Small cohort"', 'title = "x"\ntie = "later"', "tie", "the key belongs in [windowing]"),
        ('title = "Small cohort"', 'title = "x"\nqqqqqqq = 1', "qqqqqqq", "remove it"),
        ('label = "Control"', 'label = "Control"\nlable = "C"', "group[2].lable", "did you mean 'label'?"),
    ],
)
def test_unknown_key_is_refused_with_the_closest_known_one(cohort, old, new, key, remedy):
    cohort.replace("cohort.toml", old, new)
    (problem,) = read_config(cohort.path).problems
    assert (problem.column, problem.remedy) == (key, remedy)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("window = [4, 10]", "window = [3, 10]", "visits in order of time whose windows do not overlap"),
        ('id = "week_1"', 'id = "week_2"', "visits with different ids"),
        ('id = "control"', 'id = "ruxolitinib"', "groups with different ids"),
        ('role = "reference"', 'role = "treated"', "two groups of which one has the role treated"),
        ("horizon_days = 56\n", "", "the required key 'horizon_days'"),
        ('title = "Small cohort"\n', "", "the required key 'title'"),
        ('id = "control"', 'id = "Control Group"', "string should match pattern"),
    ],
)
def test_inconsistent_settings_are_refused(cohort, old, new, expected):
    cohort.replace("cohort.toml", old, new)
    (problem,) = read_config(cohort.path).problems
    assert problem.expected.casefold().startswith(expected.casefold())


def test_limits_and_ranges_must_be_ordered(cohort):
    cohort.append(
        "cohort.toml",
        "[reporting_limits.ferritin]\nlower = 9\nupper = 3\n[reference_ranges.ast]\nlow = 4\nhigh = 4\n",
    )
    assert [(row, key) for row, key, _, _ in faults(cohort.path)] == [
        (37, "reporting_limits.ferritin"),
        (40, "reference_ranges.ast"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '[variables]\n"SF" = "iron"',
        "[reporting_limits.iron]\nupper = 3",
        "[reference_ranges.iron]\nlow = 3",
        "[missing_codes]\niron = [-1]",
        '[baseline]\nvariables = ["iron"]',
        '[course]\nvariables = ["iron"]',
        '[categories]\niron = ["a"]',
        '[tables.patients.columns]\niron = "Fe"',
    ],
)
def test_names_unknown_to_the_vocabulary_are_refused(cohort, text):
    cohort.append("cohort.toml", text + "\n")
    (problem,) = read_config(cohort.path).problems
    assert (problem.found, problem.expected) == ("'iron'", "a name of the vocabulary")
    assert problem.row in (37, 38)


def test_derived_rows_of_the_baseline_table_are_known(cohort):
    cohort.append("cohort.toml", '[baseline]\nvariables = ["age", "prior_ivig", "death", "ferritin"]\n')
    assert load_config(cohort.path).baseline.variables == ("age", "prior_ivig", "death", "ferritin")


def test_settings_in_another_encoding_are_a_problem(cohort):
    (cohort.path / "cohort.toml").write_bytes('title = "病例"'.encode("gb18030"))
    assert faults(cohort.path) == [
        (None, "", "another encoding", "the settings of the cohort as a TOML file in UTF-8")
    ]


def test_key_lines_follow_tables_and_arrays():
    lines = key_lines('a = 1\n[b.c]\n"d e" = 2\n[[f]]\ng = 3\n[[f]]\ng = 4\nh.i = 5\n')
    assert lines[("a",)] == 1
    assert lines[("b", "c", "d e")] == 3
    assert (lines[("f", 0, "g")], lines[("f", 1, "g")], lines[("f", 1, "h", "i")]) == (5, 7, 8)


def test_skeleton_loads_as_it_is_and_names_every_key(cohort):
    text = skeleton_config()
    cohort.write("cohort.toml", text)
    assert load_config(cohort.path).title == "Title of the cohort"
    for name, field in CohortConfig.model_fields.items():
        assert re.search(rf"\b{field.alias or name}\b", text), name


def test_skeleton_takes_what_is_known_of_a_cohort(cohort):
    tables = {
        "patients": {"file": "list.csv", "columns": {"sex": "性别 M/F"}, "values": {"sex": {"1": "male"}}}
    }
    values = {"title": 'A "quoted" title', "tables": tables, "variables": {"SF (ng/mL)": "ferritin"}}
    cohort.write("cohort.toml", skeleton_config(values))
    config = load_config(cohort.path)
    assert config.title == 'A "quoted" title'
    assert config.tables["patients"].model_dump(exclude_none=True) == tables["patients"]
    assert config.variables == {"SF (ng/mL)": "ferritin"}


def test_commented_defaults_of_the_skeleton_are_valid_when_the_comment_sign_is_removed(cohort):
    text = re.sub(r"^# (?=[a-z_0-9]+ = )", "", skeleton_config(), flags=re.MULTILINE)
    assert "\ntie = " in text
    cohort.write("cohort.toml", text)
    problems = read_config(cohort.path).problems
    assert problems == []


@pytest.mark.parametrize("value", [True, 3, 2.5, 'a"b\\c\n', [1, 2], ["x"], {"a b": {"c": [1.5]}}])
def test_written_values_read_back(value):
    assert tomllib.loads(f"x = {toml_value(value)}")["x"] == value
