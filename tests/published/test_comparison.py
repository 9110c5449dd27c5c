"""Every printed number of the publication has its verdict, and the verdict follows the data."""

import re
import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from recompute import changed_copy, statistics_of

from helpers.published.audit import audit_ledger, published_findings
from helpers.published.comparison import (
    AGREE,
    COLUMNS,
    VERDICTS,
    compare_with_paper,
    constrained_rows,
    count_verdicts,
    open_ledger,
    store_findings,
    store_verdicts,
    write_comparison,
)
from helpers.published.declared import DeclaredKeyError, declared_value
from helpers.published.ledger import LEDGER_COLUMNS, LedgerError
from helpers.published.printing import agree_date, agree_numbers, agree_p_value, agree_share
from helpers.published.reconstruction.bindings import constrained_ids
from helpers.published.side_by_side import COLUMNS as BESIDE
from helpers.published.side_by_side import side_by_side, store_differences
from helpers.results.store import Statistics, StatisticsStore

EMBEDDED = Path(__file__).resolve().parents[2] / "data" / "cohorts" / "rdmas_reconstructed"


@pytest.fixture(scope="module")
def ledger():
    return open_ledger("rdmas_2025")


@pytest.fixture(scope="module")
def stored():
    return statistics_of(EMBEDDED)


@pytest.fixture(scope="module")
def compared(stored, ledger):
    return compare_with_paper(*stored, ledger, constrained_rows(stored[1]))


def verdicts(frame):
    return frame.set_index("id")["verdict"]


def of(frame, verdict):
    return " ".join(frame.loc[frame["verdict"] == verdict, "id"])


class TestEmbeddedCohort:
    def test_no_printed_value_differs(self, compared):
        counts = count_verdicts(compared)
        assert sum(counts.values()) == len(compared) == 310
        assert counts["differs"] == 0
        assert counts["constrained"] + counts["follows"] >= 240
        assert counts["declared"] == 33

    def test_every_row_is_answered_or_says_why_not(self, compared, stored, ledger):
        statistics, _ = stored
        asked = ledger["statistic_id"].str.split("|").explode()
        assert sorted({name for name in asked if name} - set(statistics)) == []
        mute = compared[compared["recomputed"] == ""]
        assert (mute["verdict"] == "not computable").all()
        assert (mute["reason"] != "").all()
        blank = compared[(compared["verdict"] == "not computable") & (compared["recomputed"] != "")]
        assert set(blank["printed"]) == {"not printed"}

    def test_contradicted_rows_are_those_of_the_audit_and_show_both_values(self, compared, ledger):
        findings = published_findings(ledger)
        clashing = findings.loc[findings["kind"] == "contradiction", "ids"].str.split().explode()
        assert set(of(compared, "contradicted").split()) == set(clashing)
        reasons = compared.set_index("id")["reason"]
        assert reasons["D11"] == (
            "printed 80% here, elsewhere 95% (A14), 95% (R47); recomputed 95% agrees with A14, R47"
        )
        assert reasons["R06"].endswith("elsewhere 71 (T003); recomputed 71 agrees with T003")

    def test_the_only_tolerance_used_is_stated(self, compared):
        noted = compared[compared["verdict"].isin(["constrained", "follows"]) & (compared["reason"] != "")]
        assert noted[["id", "printed", "recomputed"]].to_numpy().tolist() == [["R80", "81%", "81%"]]
        assert noted["reason"].item() == "81.48% from 2.7 and 0.5 as printed; 81.7% before rounding"

    def test_what_the_cohort_was_made_to_meet_is_told_from_what_follows(self, compared, stored, ledger):
        listed = constrained_rows(stored[1])
        assert listed == constrained_ids()
        assert listed <= set(ledger["id"])
        made = verdicts(compared)[lambda found: found == "constrained"].index
        assert set(made) == listed - set(of(compared, "contradicted").split()) - set(
            of(compared, "not computable").split()
        )
        assert of(compared, "follows") == "R80"
        own = compare_with_paper(*stored, ledger)  # the same values in a cohort of patients follow from them
        assert count_verdicts(own)["constrained"] == 0
        assert count_verdicts(own)["follows"] == len(made) + 1

    def test_answers_by_a_proxy_and_under_assumed_cut_offs_are_marked(self, compared):
        marks = compared.set_index("id")["mark"]
        assert set(marks[marks == "under an assumed cut-off"].index) == {
            "R12",
            "R13",
            "R17",
            "R18",
            "R25",
            "R26",
        }
        assert {"R66", "R67", "R74", "R78", "D14"} <= set(marks[marks == "by a proxy"].index)

    def test_two_tests_of_one_endpoint_are_no_contradiction(self, compared, ledger):
        found = verdicts(compared)
        assert {found["A17"], found["R50"], found["T017"]} == {"constrained"}
        (note,) = [one for one in audit_ledger(ledger) if one.rule == "two tests"]
        assert (note.kind, set(note.ids)) == ("note", {"A17", "R50", "T017"})

    def test_a_ledger_that_printed_something_else_would_differ_everywhere(self, compared, stored, ledger):
        """What is recomputed does not follow what is printed."""
        bumped = ledger.copy()
        bumped["printed"] = [bump(text) for text in ledger["printed"]]
        bumped["numeric"] = ledger["numeric"] + 2
        asked = compared["verdict"].isin(AGREE) & (ledger["statistic"] != "date")
        # Below 0.001 is below 0.003 as well.
        asked &= compared["printed"] != "<0.001"
        assert asked.sum() > 270
        again = compare_with_paper(*stored, bumped)
        assert set(again.loc[asked, "verdict"]) == {"differs"}


def bump(printed):
    """Every number two units of its last digit higher."""

    def higher(match):
        text = match.group().replace(",", "")
        decimals = len(text.partition(".")[2])
        return f"{float(text) + 2 * 10**-decimals:.{decimals}f}"

    words = {"one": "three", "two": "four", "three": "five", "four": "six", "twenty": "nine", "no": "two"}
    text = re.sub(r"[a-z]+", lambda m: words.get(m.group().lower(), m.group()), printed, flags=re.IGNORECASE)
    return re.sub(r"\d+(?:,\d{3})*(?:\.\d+)?", higher, text)


CHANGES = {
    "death day": ("patients", {"patient_id": "R05"}, {"death_day": "30", "last_contact_day": "30"},
                  "A17 R50 R59 D12"),
    "a control survives": ("patients", {"patient_id": "C10"}, {"death_day": "", "last_contact_day": "90"},
                           "A15 A16 A17 R48 R49 R50 T015 T016 T017"),
    "largest ferritin": ("measurements", {"patient_id": "R08", "day": "-1", "variable": "ferritin"},
                         {"value": "40000"}, "R33 T150"),
    "lowest haemoglobin": ("measurements", {"patient_id": "R20", "day": "-2", "variable": "hemoglobin"},
                           {"value": "95"}, "R12 R13 R14 R15 T099 T100 T105"),
    "dose of the study drug": ("treatments", {"patient_id": "R02", "drug": "ruxolitinib"}, {"dose": "15"},
                               "R52"),
    "glucocorticoid dose": ("treatments",
                            {"patient_id": "R17", "drug": "dexamethasone", "start_day": "-7"},
                            {"dose": "30"}, "R64 T025 T029"),
    "response": ("responses", {"patient_id": "R02", "day": "56"}, {"response": "NR"},
                 "A09 A10 R60 R62 R65 R67 R70 R71 R72 R74 D04 D06 D10"),
    "grade of an event": ("events", {"patient_id": "R17"}, {"grade": "3"}, "R77 R78 D14"),
    "sex": ("patients", {"patient_id": "R07"}, {"sex": "male"}, "A04 A05 R02 R03 T008 T009 T012"),
    "age, neither of the two printed": ("patients", {"patient_id": "R07"}, {"age": "60"}, "R06 T003 T007"),
    "diagnosis": ("patients", {"patient_id": "R07"}, {"diagnosis": "SLE"},
                  "A06 A07 R07 R08 T055 T056 T060 T061"),
    "start of ciclosporin": ("treatments", {"patient_id": "R01", "drug": "ciclosporin"},
                             {"start_day": "60"}, "R72"),
    "spleen": ("measurements", {"patient_id": "R04", "day": "52", "variable": "splenomegaly"},
               {"value": "1"}, "R68"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_one_changed_raw_value_makes_the_rows_that_rest_on_it_differ(name, ledger, tmp_path):
    table, where, new, expected = CHANGES[name]
    folder = changed_copy(EMBEDDED, tmp_path / "changed", table, where, new)
    assert of(compare_with_paper(*statistics_of(folder), ledger), "differs") == expected


def test_a_changed_setting_makes_what_it_declares_differ(stored, ledger):
    statistics, config = stored
    horizon = config.follow_up.model_copy(update={"horizon_days": 84})
    longer = config.model_copy(update={"follow_up": horizon})
    assert of(compare_with_paper(statistics, longer, ledger), "differs") == "M18 M30 R31"


class TestPrinting:
    @pytest.mark.parametrize(
        ("printed", "value", "text", "agrees"),
        [
            ("2.00", 2.0, "2.00", True),
            ("2.00", 2.006, "2.01", False),
            ("0.5", 0.449, "0.4", False),
            ("(38)", 38.095, "(38)", True),
            ("5,982", 5982, "5,982", True),
            ("5,982", 15981.9, "15,982", False),
            ("day 19", 19, "day 19", True),
            ("All", 20, "20", True),
            ("at least two", 2, "at least 2", True),
            ("twenty", 21, "21", False),
            ("12", float("nan"), "NE", False),
        ],
    )
    def test_a_number_keeps_its_printed_form(self, printed, value, text, agrees):
        found = agree_numbers(printed, 20.0, [value])
        assert (found.text, found.agrees) == (text, agrees)

    def test_halves_may_be_rounded_up_or_to_even(self):
        up, even = agree_numbers("0.13", 0.13, [0.125]), agree_numbers("0.12", 0.12, [0.125])
        assert up.agrees
        assert up.note == ""
        assert even.agrees
        assert even.note == "0.125 lies half-way: printed rounded to even"
        assert not agree_numbers("0.14", 0.14, [0.125]).agrees

    def test_digits_are_cut_off_only_where_the_ledger_says_so(self):
        assert not agree_numbers("81%", 81, [81.7]).agrees
        assert agree_numbers("81%", 81, [81.7], rounding="truncated").agrees
        assert not agree_numbers("81%", 81, [82.1], rounding="truncated").agrees

    def test_counts_are_exact(self):
        assert agree_numbers("6", 6, [6.4]).agrees
        assert not agree_numbers("6", 6, [6.4], exact=True).agrees

    @pytest.mark.parametrize(
        ("printed", "count", "n", "text", "agrees"),
        [
            ("30% (6/20)", 6, 20, "30% (6/20)", True),
            ("6 (30%)", 6, 6, "6 (100%)", False),
            ("30% (6/20)", 6, 19, "32% (6/19)", False),
            ("19 of 20", 18, 20, "18 of 20", False),
            ("four (20%)", 4, 20, "4 (20%)", True),
            ("13/21", 14, 21, "14/21", False),
        ],
    )
    def test_a_share_agrees_in_count_denominator_and_percentage(self, printed, count, n, text, agrees):
        found = agree_share(printed, 6, count, n)
        assert (found.text, found.agrees) == (text, agrees)

    @pytest.mark.parametrize(
        ("printed", "p_value", "text", "agrees"),
        [
            ("0.011", 0.01099, "0.011", True),
            ("0.011", 0.0121, "0.012", False),
            ("<0.001", 0.0006, "<0.001", True),
            ("<0.001", 0.0014, "0.001", False),
            ("1.000", 1.0, "1.000", True),
            ("0.001", 0.0004, "<0.001", False),
        ],
    )
    def test_p_values(self, printed, p_value, text, agrees):
        found = agree_p_value(printed, p_value)
        assert (found.text, found.agrees) == (text, agrees)

    def test_several_values_behind_one_number_must_all_agree(self):
        assert agree_numbers(">=25", 25, [25, 25, 25]).agrees
        assert not agree_numbers(">=25", 25, [25, 33.3, 25]).agrees

    def test_a_range_is_compared_in_order(self):
        assert agree_numbers("2–4", float("nan"), [2.1, 3.6]).agrees
        assert agree_numbers("2–4", float("nan"), [3.6, 2.1]).text == "4–2"
        with pytest.raises(ValueError, match="holds 2 numbers, 3 are compared"):
            agree_numbers("2–4", float("nan"), [1, 2, 3])

    def test_months(self):
        assert agree_date("January 2022", "2022-01").agrees
        assert agree_date("December 2024", pd.Timestamp("2025-01-31").date()).text == "January 2025"


class TestDeclared:
    def test_keys_lead_into_settings_and_criteria(self, stored):
        config = stored[1]
        assert declared_value("visit.week_3.day", config) == 21
        assert declared_value("group.control.enrolment.2", config) == "2019-12"
        assert declared_value("criteria/hlh_2004_paper:lists.lineages.platelets.value", config) == 100
        assert declared_value("criteria/hlh_2004_paper:items.#", config) == 8

    @pytest.mark.parametrize("key", ["visit.week_9.day", "criteria/nowhere:settings", "group.3"])
    def test_a_key_that_leads_nowhere_is_named(self, stored, key):
        with pytest.raises(DeclaredKeyError, match=re.escape(key)):
            declared_value(key, stored[1])


def small_ledger(*rows):
    """A ledger from (id, printed, statistic, statistic_id, conflicts)."""
    frame = pd.DataFrame(rows, columns=["id", "printed", "statistic", "statistic_id", "conflicts"])
    frame = frame.reindex(columns=[*LEDGER_COLUMNS, "scale", "rounding", "reason"], fill_value="")
    return frame.assign(numeric=float("nan"), section="Text")


class TestVerdicts:
    @pytest.fixture
    def store(self, tmp_path):
        store = StatisticsStore(tmp_path, "test")
        store.add("a", "b", "median", value=18.0, n=20)
        return store

    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [("18", "23", ["contradicted", "contradicted"]), ("17", "23", ["differs", "differs"])],
    )
    def test_a_contradiction_needs_one_side_to_agree(self, store, stored, first, second, expected):
        name = "a.b.all.follow_up.median"
        rows = [("x", first, "median", name, "y"), ("y", second, "median", name, "x")]
        found = compare_with_paper(store.rows(), stored[1], small_ledger(*rows))
        assert found["verdict"].tolist() == expected
        assert found["reason"].str.contains("elsewhere").all()

    def test_a_statistic_that_the_cohort_lacks_is_not_called_reproduced(self, store, stored):
        rows = small_ledger(("x", "18", "median", "a.b.all.week_1.median", ""))
        found = compare_with_paper(store.rows(), stored[1], rows)
        assert found["verdict"].tolist() == ["not computable"]
        assert found["reason"].item() == "this cohort has no statistic a.b.all.week_1.median"

    def test_the_counts_are_stored(self, compared, ledger, tmp_path):
        store = StatisticsStore(tmp_path, "test")
        store_findings(published_findings(ledger), store)
        store_verdicts(compared, store)
        rows = store.rows()
        assert rows["published.constrained.all.follow_up.count"].value == 253
        assert rows["published.under_an_assumed_cut_off.all.follow_up.count"].value == 6
        parts = [row.value for row in rows.values() if row.variable.endswith("_contradicted")]
        assert sum(parts) == rows["published.contradicted.all.follow_up.count"].value == 7
        assert rows["published_audit.contradiction.all.follow_up.count"].value == 2

    def test_a_cohort_without_a_publication_has_empty_tables(self, stored, tmp_path):
        assert open_ledger(None) is None
        empty = compare_with_paper(*stored, None)
        assert list(empty.columns) == list(COLUMNS)
        assert count_verdicts(empty) == dict.fromkeys(VERDICTS, 0)
        assert published_findings(None).empty
        assert write_comparison(empty, tmp_path / "x.csv").read_text() == ",".join(COLUMNS) + "\n"

    def test_a_ledger_that_is_not_there_is_named(self):
        with pytest.raises(LedgerError, match=r"no_such_paper\.csv: no such file"):
            open_ledger("no_such_paper")


class TestBesideThePaper:
    def test_the_same_cohort_lies_no_distance_away(self, stored, ledger, tmp_path):
        found = side_by_side(*stored, ledger, confidence=0.95).set_index("id")
        assert found.loc["A10", "own"] == "10/20"
        shares = found[found["unit"] == "percentage points"]
        assert len(shares) > 40
        assert (shares["difference"].abs() < 1e-9).all()
        assert (shares["lower"] < 0).all()
        store = StatisticsStore(tmp_path, "test")
        store_differences(found.reset_index(), store)
        assert len(store) == found["difference"].notna().sum()

    def test_groups_of_other_names_take_the_place_of_their_role(self, stored, ledger):
        statistics, config = stored
        groups = [group.model_copy(update={"id": f"our_{group.id}"}) for group in config.groups]
        ours = config.model_copy(update={"groups": tuple(groups)})
        with_alive = StatisticsStore(EMBEDDED, "unwritten")
        with_alive.add("survival", "death", "alive", group="our_control", timepoint="day_56", value=10, n=30)
        found = side_by_side(Statistics(with_alive.rows().values()), ours, ledger, confidence=0.95)
        known = found[found["own"] != "not in this cohort"]
        assert known[["id", "group", "printed", "own"]].to_numpy().tolist() == [
            ["A15", "our_control", "13/21", "10/30"]
        ]
        # Newcombe's interval of 10/30 minus 13/21, by hand from the Wilson limits.
        numbers = known[["difference", "lower", "upper"]].to_numpy()[0]
        assert numbers == pytest.approx([-28.571, -50.926, -0.967], abs=0.002)
        assert statistics is not None

    def test_without_a_publication_there_is_nothing(self, stored):
        found = side_by_side(*stored, None, confidence=0.95)
        assert found.empty
        assert list(found.columns) == list(BESIDE)
