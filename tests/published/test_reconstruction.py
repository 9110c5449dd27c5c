"""The program that rebuilds the cohort: clinical rules, same bytes, named contradictions."""

import subprocess
import sys
import time

import pytest

from helpers.analysis.clinical import Rulebook, clinical_facts
from helpers.analysis.diagnosis import diagnose, judge_eligibility
from helpers.clinical.engine import VERDICTS
from helpers.clinical.response import assess_response
from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config
from helpers.published.ledger import LedgerError, read_ledger
from helpers.published.reconstruction.feasibility import find_clashes
from helpers.published.reconstruction.targets import Ledger


@pytest.fixture(scope="module")
def tables(cohort):
    return clean_cohort(cohort.folder)


@pytest.fixture(scope="module")
def config(cohort):
    return load_config(cohort.folder)


def test_folder_has_no_problems(cohort):
    assert check_cohort(cohort.folder) == []


def test_every_patient_meets_the_inclusion_rules(tables, config, cohort):
    judged = judge_eligibility(tables, diagnose(tables, config, cohort.folder), config, cohort.folder)
    assert set(VERDICTS[judged.refractory.verdict]) == {"met"}
    assert set(VERDICTS[judged.eligible.verdict]) == {"met"}
    assert len(judged.eligible.verdict) == len(tables.patients)
    item = judged.eligible.states["mas"]
    assert (item == 1).all()


def test_laboratory_values_bear_out_every_recorded_response(tables, config):
    facts = clinical_facts(tables, config)
    treated = tables.patients[tables.patients["group"] == "ruxolitinib"]
    judged = assess_response(facts, tables.patients, Rulebook.of(config, None).response("paper"))
    judged = judged[judged["patient_id"].isin(treated["patient_id"])].set_index(["patient_id", "visit"])[
        "response"
    ]
    recorded = tables.responses.dropna(subset="visit").set_index(["patient_id", "visit"])["response"]
    assert len(recorded) == 78
    assert (judged[recorded.index] == recorded).all()
    dead = judged[~judged.index.isin(recorded.index)]
    assert list(dead) == ["NR", "NR"]


def falsified(changes):
    frame = read_ledger()
    for identifier, text in changes.items():
        assert (frame["id"] == identifier).sum() == 1
        frame.loc[frame["id"] == identifier, "printed"] = text
    return Ledger(frame)


def test_printed_values_can_all_hold():
    assert find_clashes(Ledger(read_ledger())) == []


@pytest.mark.parametrize(
    ("identifier", "false_text", "partners"),
    [
        # 19 women cannot be 85% of 20, nor 17 of 20.
        ("T008", "19", {"A04", "R02", "R03", "T009", "A05", "T012"}),
        # A median above the largest value; the text repeats the true one.
        ("T099", "140", {"R14", "T101", "R16"}),
        # Twelve values below 2.00 with a median of 2.00 in twenty.
        ("R36", "12", {"R34", "R35", "R37", "T134"}),
        # With 1 of 20 against 8 of 21 no day of death gives this log-rank p.
        (
            "R50",
            "0.200",
            {"T013", "T015", "D13", "T014", "T016", "A13", "A15", "R46", "R48", "A14", "A16", "R47", "R49"},
        ),
        # 5 + 4 + 3 courses less three overlaps are nine patients.
        (
            "R40",
            "11",
            {"R41", "R42", "R43", "T035", "T036", "T040", "T041", "T050", "T051", "T045", "T155", "T156"},
        ),
        # Fifteen responders at week 3 and sixteen at week 8, one patient more than there are.
        ("R59", "6", {"R57", "R58", "A02", "A03", "H01", "R01", "T157"}),
    ],
)
def test_a_falsified_value_is_named_with_those_it_clashes_with(identifier, false_text, partners):
    ledger = falsified({identifier: false_text})
    clashes = find_clashes(ledger)
    assert len(clashes) == 1
    clash = clashes[0]
    assert identifier in clash.ids
    assert identifier in clash.suspects
    assert set(clash.ids) - {identifier} <= partners
    sentence = clash.sentence(ledger)
    assert identifier in sentence
    assert repr(false_text) in sentence


def test_a_clash_is_minimal():
    from helpers.published.reconstruction.feasibility import System

    ledger = falsified({"R36": "12"})
    (clash,) = find_clashes(ledger)
    names = [*clash.ids, *(f"rule: {r}" for r in clash.rules)]
    system = System(ledger)
    assert system.core(names) is not None
    assert all(system.core(n for n in names if n != left_out) is None for left_out in names)


def test_the_program_names_the_clash_and_fails(tmp_path):
    frame = read_ledger()
    frame.loc[frame["id"] == "R58", "printed"] = "19"
    path = tmp_path / "false.csv"
    frame.to_csv(path, index=False)
    command = [
        sys.executable,
        "-m",
        "helpers.published.reconstruction",
        "--ledger",
        path,
        "--output",
        tmp_path / "out",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "R58" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_all_faults_of_a_ledger_are_listed_at_once(tmp_path):
    path = tmp_path / "ledger.csv"
    frame = read_ledger().astype({"numeric": object})
    frame.loc[3, "id"] = frame.loc[2, "id"]
    frame.loc[7, "numeric"] = "many"
    frame.to_csv(path, index=False)
    with pytest.raises(LedgerError) as caught:
        read_ledger(path)
    assert len(caught.value.problems) == 2


@pytest.mark.slow
def test_the_embedded_cohort_is_rebuilt_byte_for_byte_within_five_minutes(embedded, tmp_path):
    from helpers.published.reconstruction.cohort import write_cohort

    started = time.process_time()  # the solver has one thread; other programs do not count
    files = write_cohort(tmp_path / "again")
    assert time.process_time() - started < 300
    assert {f.name for f in files} == {f.name for f in embedded.folder.iterdir()}
    for file in files:
        assert file.read_bytes() == (embedded.folder / file.name).read_bytes(), file.name


@pytest.mark.slow
def test_another_seed_gives_another_cohort(embedded, other_folder):
    for name in ("patients.csv", "measurements.csv", "treatments.csv"):
        assert (other_folder / name).read_bytes() != (embedded.folder / name).read_bytes()
