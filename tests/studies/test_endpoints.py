"""Endpoints beside death, from cohort folders: who had them, curves, effects, and what is not known."""

from __future__ import annotations

import shutil
import warnings

import numpy as np
import pytest
from studies import STUDIES, write_study

from helpers.analysis.endpoints import analyse_endpoints, endpoint_times
from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config
from helpers.report.figures.endpoints import drawn_endpoints, endpoints_height
from helpers.report.tables.endpoints import endpoints_table
from helpers.report.text.claims import Material
from helpers.report.text.endpoints import endpoints
from helpers.report.text.wording import Wording
from helpers.results.store import StatisticsStore


def analysed(folder, tmp_path):
    config, tables = load_config(folder), clean_cohort(folder)
    store = StatisticsStore(tmp_path, "04")
    horizon = config.horizon_days
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        analyse_endpoints(tables, config, store, horizon_days=horizon, confidence=0.95, seed=1)
    return config, tables, store.rows()


def endpoint(config, name):
    return next(one for one in config.endpoints if one.id == name)


@pytest.mark.parametrize("name", STUDIES)
def test_studies_are_faultless_and_the_same_each_time(study, tmp_path, name):
    folder = study(name)
    assert [str(problem) for problem in check_cohort(folder)] == []
    again = write_study(name, tmp_path / name)
    for file in folder.iterdir():
        assert file.read_bytes() == (again / file.name).read_bytes()


def test_relapse_is_counted_by_hand_and_death_competes(study, tmp_path):
    config, tables, rows = analysed(study("tocilizumab_anakinra"), tmp_path)
    relapsed = tables.events[tables.events["term"] == "disease relapse"].groupby("patient_id")["day"].min()
    for group in config.group_ids:
        mine = tables.patients[tables.patients["group"] == group].set_index("patient_id")
        day = relapsed.reindex(mine.index)
        events = int((day <= 180).sum())
        died = mine["death_day"].astype(float)
        first = int(((died <= 180) & ~(day <= died)).sum())
        assert rows[f"endpoint.relapse.{group}.day_180.events"].value == events
        assert rows[f"endpoint.relapse.{group}.day_180.competing"].value == first
        # Everybody is followed to the horizon: the incidence is the plain share.
        incidence = rows[f"endpoint.relapse.{group}.day_180.incidence"]
        assert incidence.value == pytest.approx(events / len(mine))
        assert incidence.lower < incidence.value < incidence.upper
        either = int(((day <= 180) | (died <= 180)).sum())
        free = rows[f"endpoint.relapse_or_death.{group}.day_180.survival"]
        assert free.value == pytest.approx(1 - either / len(mine))


def test_cumulative_incidence_is_that_of_a_second_library(study):
    lifelines = pytest.importorskip("lifelines")
    folder = study("dep_hlh94")
    config, tables = load_config(folder), clean_cohort(folder)
    times = endpoint_times(endpoint(config, "progression"), tables, config, 365)
    for group, part in times.frame.groupby("group"):
        fitter = lifelines.AalenJohansenFitter(calculate_variance=False, jitter_level=1e-9, seed=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it moves equal times apart
            fitter.fit(part["time"], part["status"], event_of_interest=1)
        expected = fitter.cumulative_density_.iloc[-1, 0]
        store = StatisticsStore(folder, "x")
        analyse_endpoints(tables, config, store, horizon_days=365, confidence=0.95, seed=1)
        found = store.rows()[f"endpoint.progression.{group}.day_365.incidence"].value
        assert found == pytest.approx(expected, rel=1e-6)


def test_progression_free_survival_ends_with_the_first_of_both(study):
    folder = study("dep_hlh94")
    config, tables = load_config(folder), clean_cohort(folder)
    times = endpoint_times(endpoint(config, "pfs"), tables, config, 365)
    patients = tables.patients.set_index("patient_id")
    for row in times.frame.itertuples():
        mine = patients.loc[row.patient_id]
        events = mine[["death_day", "progression_day"]].dropna().astype(float)
        days = [mine["followup_days"], 365, *events]
        assert row.time == min(days)
    assert not times.competes
    assert set(times.frame["status"]) == {0, 1}


def test_loss_counts_from_the_first_response_and_is_not_compared(study, tmp_path):
    config, tables, rows = analysed(study("tocilizumab_anakinra"), tmp_path)
    times = endpoint_times(endpoint(config, "loss"), tables, config, 180)
    responders = set(tables.responses.loc[tables.responses["response"].isin(["CR", "PR"]), "patient_id"])
    assert set(times.frame["patient_id"]) == responders
    assert times.left_out == len(tables.patients) - len(responders)
    note = rows["endpoint_effect.loss.both.day_180.not_compared"].note
    assert note == "not compared: only those who responded can lose a response"


def test_yes_no_without_a_day_is_a_share_of_those_known(study, tmp_path):
    config, tables, rows = analysed(study("etoposide_alone"), tmp_path)
    known = tables.patients["transplanted"].dropna()
    share = rows["endpoint.transplanted.etoposide.day_100.share"]
    assert share.value == pytest.approx(100 * known.astype(bool).mean())
    assert (share.n, share.n_missing) == (len(known), len(tables.patients) - len(known))
    assert drawn_endpoints(rows, config) == []
    assert endpoints_height(rows, config) == 40


def test_what_an_arm_did_not_record_is_not_none(study, tmp_path):
    folder = shutil.copytree(study("tocilizumab_anakinra"), tmp_path / "one_sided")
    lines = (folder / "events.csv").read_text().splitlines()
    kept = [line for line in lines if not line.startswith("AN")]
    (folder / "events.csv").write_text("\n".join(kept) + "\n")
    config, _, rows = analysed(folder, tmp_path)
    unknown = rows["endpoint.relapse.anakinra.day_180.events"]
    assert np.isnan(unknown.value)
    assert unknown.note == "not recorded: no adverse event of any kind is recorded"
    assert "endpoint.relapse.anakinra.day_180.incidence" not in rows
    assert rows["endpoint_effect.relapse.both.day_180.not_compared"].note.startswith("not compared")
    table = endpoints_table(rows, config, watermark="")
    assert "not recorded" in str(table.rows)
    material = Material(rows, config, 180, 0.95, {})
    for language, words in (("en", "was not recorded"), ("zh", "未记录")):
        said = str(Wording.of(language, config).paragraph(endpoints(material)))
        assert words in said
        assert "nan" not in said.lower()


@pytest.mark.parametrize("name", STUDIES)
def test_every_endpoint_is_said_in_both_languages(study, tmp_path, name):
    config, _, rows = analysed(study(name), tmp_path)
    material = Material(rows, config, config.horizon_days, 0.95, {})
    english = str(Wording.of("en", config).paragraph(endpoints(material)))
    for one in config.endpoints:
        assert one.label.lower() in english.lower()
    assert str(Wording.of("zh", config).paragraph(endpoints(material)))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('id = "death"\nlabel = "Death"\nday = "death_day"', "death is the first endpoint"),
        ('id = "x"\nlabel = "X"', "one of day, terms"),
        ('id = "x"\nlabel = "X"\nday = "death_day"\nterms = ["anaemia"]', "one of day, terms"),
        ('id = "x"\nlabel = "X"\nany_of = ["death", "y"]', "any_of and competing among"),
        ('id = "x"\nlabel = "X"\nday = "progresion_day"', "'progression_day'"),
        ('id = "x"\nlabel = "X"\nlevel = "SD"', "'SD'"),
        ('id = "x"\nlabel = "X"\nyes_no = "progression_day"', "yes_no"),
    ],
)
def test_faulty_endpoints_are_errors_of_the_check(study, tmp_path, lines, words):
    folder = shutil.copytree(study("dep_hlh94"), tmp_path / "faulty")
    with (folder / "cohort.toml").open("a") as file:
        file.write(f"\n[[endpoint]]\n{lines}\n")
    problems = [str(problem) for problem in check_cohort(folder)]
    assert any(words in problem for problem in problems), problems
