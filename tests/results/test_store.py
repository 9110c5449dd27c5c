"""The statistics store: identifiers, round trip, refusals."""

from types import SimpleNamespace

import pytest

from helpers.results.key import Key
from helpers.results.store import COLUMNS, Statistics, StatisticsStore, StatisticsStoreError, slug


def result(**other):
    fields = {
        "method": "log-rank",
        "value": 2.5,
        "lower": 1.0,
        "upper": float("nan"),
        "p_value": 0.011,
        "n": 41,
        "n_missing": 0,
        "note": "",
    }
    return SimpleNamespace(**(fields | other))


def test_rows_survive_writing_and_narrative(tmp_path):
    store = StatisticsStore(tmp_path, "04_survival")
    store.add("survival", "death", "logrank", group="both", timepoint="day_56", result=result(), unit="days")
    store.add("survival", "death", "deaths", group="control", value=8, n=21, note='a, "quoted" note')
    store.write()
    found = Statistics.read(tmp_path)
    assert list(found) == ["survival.death.both.day_56.logrank", "survival.death.control.follow_up.deaths"]
    row = found["survival.death.both.day_56.logrank"]
    assert (row.value, row.p_value, row.n, row.unit, row.method) == (2.5, 0.011, 41, "days", "log-rank")
    assert row.upper != row.upper
    assert found["survival.death.control.follow_up.deaths"].note == 'a, "quoted" note'
    assert found["survival.death.control.follow_up.deaths"].n_missing is None


def test_the_file_has_the_documented_columns_and_the_same_bytes_each_time(tmp_path):
    contents = []
    for name in ("a", "b"):
        store = StatisticsStore(tmp_path / name, "x")
        store.add("a", "b", "c", value=0.1 + 0.2)
        contents.append(store.write().read_bytes())
    assert contents[0] == contents[1]
    header, row = contents[0].decode().splitlines()
    assert header.split(",") == list(COLUMNS)
    assert row.startswith("a.b.all.follow_up.c,a,b,,all,follow_up,c,0.3,")


def test_last_bits_of_a_number_and_of_a_p_value_in_the_tail_are_not_stored(tmp_path):
    texts = []
    for last in (0.0, 1e-15):
        store = StatisticsStore(tmp_path, "05_tail")
        store.add(
            "trend", "temperature", "ratio", value=1 / 3 + last, p_value=9.57005708668e-12 * (1 + 50 * last)
        )
        store.add("trend", "platelets", "ratio", value=1e-7 / 3, p_value=0.0123456789012345)
        texts.append(store.write().read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
    rows = Statistics.read(tmp_path, ["05_tail"])
    assert rows["trend.temperature.all.follow_up.ratio"].p_value == 9.57006e-12
    assert rows["trend.platelets.all.follow_up.ratio"].p_value == 0.0123456789012
    assert rows["trend.platelets.all.follow_up.ratio"].value == pytest.approx(1e-7 / 3, rel=1e-11)


def test_an_identifier_is_taken_once(tmp_path):
    store = StatisticsStore(tmp_path, "x")
    store.add("a", "b", "c", value=1)
    with pytest.raises(StatisticsStoreError, match="already stored"):
        store.add("a", "b", "c", value=1)


def test_an_identifier_in_two_files_is_refused(tmp_path):
    for name in ("01", "02"):
        store = StatisticsStore(tmp_path, name)
        store.add("a", "b", "c", value=1)
        store.write()
    with pytest.raises(StatisticsStoreError, match="stored twice"):
        Statistics.read(tmp_path)
    assert len(Statistics.read(tmp_path, ["01"])) == 1


@pytest.mark.parametrize("part", ["", "Two Words", "dot.ted", "_x"])
def test_malformed_parts_are_refused(tmp_path, part):
    with pytest.raises(StatisticsStoreError, match="variable"):
        StatisticsStore(tmp_path, "x").add("a", part, "c", value=1)


def test_an_unknown_identifier_names_its_neighbours(tmp_path):
    store = StatisticsStore(tmp_path, "x")
    store.add("survival", "death", "logrank", value=1)
    with pytest.raises(StatisticsStoreError, match=r"survival\.death\.all\.follow_up\.logrank"):
        _ = store.rows()["survival.death.all.follow_up.logrnk"]


def test_statistics_of_a_notebook_that_has_not_run_are_asked_for_by_name(tmp_path):
    with pytest.raises(StatisticsStoreError, match="04_survival"):
        Statistics.read(tmp_path, ["04_survival"])


def test_select_and_find(tmp_path):
    store = StatisticsStore(tmp_path, "x")
    store.add("a", "b", "c", value=1, group="control")
    store.add("a", "d", "c", value=2, group="control")
    rows = store.rows()
    assert [row.value for row in rows.select(analysis="a", statistic="c")] == [1, 2]
    assert rows.find(Key("a", "c"), "b", group="control").value == 1
    assert rows.find(Key("a", "c"), "b") is None


@pytest.mark.parametrize(
    ("text", "part"),
    [("Other CTD", "other_ctd"), ("CMV (lung)", "cmv_lung"), ("中文", "u4e2d_u6587"), ("?", "none")],
)
def test_slug(text, part):
    assert slug(text) == part
