"""Kept figures are data: they come back as they were, and nothing in them is executed."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from destinations import Place
from hypothesis import given
from hypothesis import strategies as st

from helpers.cohort.config import load_config
from helpers.report.figures.common import say_absent
from helpers.report.figures.course import Course
from helpers.report.figures.output.drawings import RecipeError, drawing, drawing_named, drawn_record
from helpers.report.figures.output.plain import from_plain, to_plain
from helpers.report.figures.output.publish import publish_figure
from helpers.report.figures.output.recipes import read_recipe
from helpers.results.store import Statistics, StatisticsStore

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text() | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.text()), inner, max_size=4)
    ),
    max_leaves=20,
)
TABLES = [
    pd.DataFrame({"a": [1, 2], "b": [0.1, math.nan], "c": ["x", None], "d": [True, False]}),
    pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "s": pd.array(["", None], dtype="string")}),
    pd.DataFrame(
        {"yes": pd.array([True, None], dtype="boolean"), "x": pd.array([0.5, None], dtype="Float64")}
    ),
    pd.DataFrame({"k": pd.Categorical(["b", None], categories=["c", "b"], ordered=True)}),
    pd.DataFrame({("A", "one"): [1.0], ("A", "two"): [2.0]}, index=["p"]).rename_axis(index="patient_id"),
    pd.DataFrame({"a": [1, 2, 3], "o": [np.nan, "CR", "died"]}).iloc[[0, 2]],
    pd.DataFrame(),
    pd.DataFrame({"a": []}),
    pd.DataFrame(index=["x", "y"]),
]


SETTINGS = """title = "T"
provenance = "synthetic"
[[group]]
id = "a"
label = "A"
role = "treated"
day0 = "first dose"
[follow_up]
horizon_days = 56
[[visit]]
id = "baseline"
label = "Baseline"
day = 0
window = [-7, 0]
[reference_ranges.crp]
high = 5.0
"""


def again(value):
    return from_plain(json.loads(json.dumps(to_plain(value))))


@given(VALUES)
def test_numbers_texts_and_what_holds_them_come_back(value):
    assert again(value) == value
    assert type(again(value)) is type(value)


@pytest.mark.parametrize("table", TABLES, ids=range(len(TABLES)))
def test_tables_come_back_with_their_types_and_labels(table):
    pd.testing.assert_frame_equal(again(table), table)


def test_numbers_keep_every_digit():
    numbers = np.random.default_rng(1).normal(size=500)
    assert (again(pd.DataFrame({"x": numbers}))["x"].to_numpy() == numbers).all()
    assert math.isinf(again(math.inf))


def test_settings_come_back_with_the_words_of_the_cohort(tmp_path, cohort_with_words):
    config = load_config(cohort_with_words)
    assert config.vocabulary["neopterin"].own
    found = again(config)
    assert found == config
    assert found.vocabulary["neopterin"] == config.vocabulary["neopterin"]
    assert found.vocabulary.drug_named("Filapix") == "filapixant"
    # What comes with the package is not kept with every figure.
    assert len(json.dumps(to_plain(config))) < 30_000


def test_statistics_and_records_come_back(tmp_path):
    store = StatisticsStore(tmp_path, "x")
    store.add("survival", "death", "median", value=3.25, lower=1, n=4, method="m")
    rows = store.rows()
    found = again(rows)
    assert isinstance(found, Statistics)
    assert found["survival.death.all.follow_up.median"].value == 3.25
    assert list(found) == list(rows)
    course = Course("crp", "CRP", TABLES[0], log=True, reference=(math.nan, 8.0))
    back = again(course)
    assert (back.name, back.log, back.reference[1]) == ("crp", True, 8.0)
    pd.testing.assert_frame_equal(back.patients, course.patients)


class Spy:
    """Leaves a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_of_a_planted_recipe_is_executed(tmp_path):
    place, trace = Place(tmp_path), tmp_path / "trace"
    publish_figure(place, "plain", "single", 50, "Plain", say_absent, "Nothing to see")
    path = place.recipes / "plain.json"
    kept = json.loads(path.read_bytes())
    planted = [
        pickle.dumps(Spy(trace)),
        json.dumps(
            kept | {"draw": "os.system", "arguments": {"kind": "tuple", "of": [f"touch {trace}"]}}
        ).encode(),
        json.dumps(kept | {"arguments": {"kind": "record", "of": "Popen", "fields": {"args": []}}}).encode(),
        json.dumps(kept | {"arguments": {"kind": "pickle", "of": "x"}}).encode(),
        json.dumps(kept | {"arguments": {"kind": "record", "of": "Course", "fields": {"shell": 1}}}).encode(),
        (b'{"kind":"tuple","of":[' * 50_000) + b"]}" * 50_000,
        b"[]",
        b"",
    ]
    for content in planted:
        path.write_bytes(content)
        with pytest.raises(RecipeError, match=r"plain\.json cannot be read"):
            read_recipe(path)
    assert not trace.exists()


def test_what_is_no_data_is_refused_with_the_remedy():
    with pytest.raises(RecipeError, match="drawn_record"):
        to_plain(object())
    with pytest.raises(RecipeError, match="datetime64"):
        to_plain(pd.DataFrame({"day": pd.to_datetime(["2020-01-01"])}))


def test_a_name_stands_for_one_figure():
    @drawing
    def draw_only_here(container):
        container.text(0, 0, "x")

    assert drawing_named("only_here") is draw_only_here
    with pytest.raises(ValueError, match="two figures draw by survival"):

        @drawing
        def draw_survival(container):
            container.text(0, 0, "x")

    with pytest.raises(RecipeError, match="no drawing function 'nowhere'"):
        drawing_named("nowhere")
    with pytest.raises(TypeError, match="is no dataclass"):
        drawn_record(int)

    @drawn_record
    @dataclass(frozen=True)
    class Point:
        x: float

    assert again(Point(0.5)) == Point(0.5)


@pytest.fixture
def cohort_with_words(tmp_path):
    folder = tmp_path / "cohort"
    folder.mkdir()
    (folder / "cohort.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "variables.csv").write_text(
        "name,label,table,type,unit,units\nneopterin,Neopterin,measurements,number,nmol/L,ug/L:3.95\n",
        encoding="utf-8",
    )
    (folder / "drugs.csv").write_text(
        "name,label,class,aliases\nfilapixant,Filapixant,other,Filapix\n", encoding="utf-8"
    )
    return folder


def test_statistics_come_back_row_by_row_and_another_layout_is_refused(tmp_path):
    store = StatisticsStore(tmp_path, "x")
    store.add("response", "class", "cr", group="treated", timepoint="week_1", level="Complete", value=3, n=20,
              n_missing=1, unit="patients", method="count", note="a note")  # fmt: skip
    store.add("baseline", "ferritin", "median", group="control", timepoint="baseline", qualifier=">",
              value=1500, lower=1, upper=2, p_value=0.5)  # fmt: skip
    rows = store.rows()
    kept = json.loads(json.dumps(to_plain(rows)))
    back = from_plain(kept)
    assert list(back.values()) == list(rows.values()) or all(
        repr(one) == repr(other) for one, other in zip(back.values(), rows.values(), strict=True)
    )
    assert back["response.class.treated.week_1.cr"].group == "treated"
    kept["columns"] = [name for name in kept["columns"] if name != "level"]
    with pytest.raises(RecipeError, match="another version"):
        from_plain(kept)
