"""Numbers, dates, headers and personal data as hospitals write them."""

from __future__ import annotations

import pytest

from helpers.intake.contents import unit_by_values
from helpers.intake.lexicon import Lexicon, visit_day
from helpers.intake.personal import Scrubber, is_national_id, kind_of_cells, needs_new_ids
from helpers.intake.propose import _middle
from helpers.intake.values import date_order_evidence, decimal_evidence, plain_date, plain_number
from helpers.vocabulary.reading import shipped_vocabulary


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(shipped_vocabulary())


@pytest.mark.parametrize(
    ("text", "mark", "plain"),
    [
        ("1.234,5", ",", "1234.5"),
        ("1,234.5", ".", "1234.5"),
        (">15,000", ".", ">15000"),
        ("0,5", ".", "0,5"),
        ("1 234", ".", "1234"),
        ("12.5 ↑", ".", "12.5 ↑"),
    ],
)
def test_numbers_lose_their_marks(text, mark, plain):
    assert plain_number(text, mark) == plain


def test_a_number_that_may_be_read_in_two_ways_proves_nothing():
    assert decimal_evidence(["1,234", "15,000"]) == (None, "")
    assert decimal_evidence(["1,234", "1,234.5"])[0] == "."
    assert decimal_evidence(["1.234", "1.234,5"])[0] == ","
    assert decimal_evidence(["0,5", "0.5"]) == (None, "")


@pytest.mark.parametrize(
    "text", ["2023年5月3日", "2023.5.3", "2023/05/03", "20230503", "3-May-2023", "03.05.2023"]
)
def test_dates_are_read_in_every_form(text):
    assert plain_date(text) == "2023-05-03"


def test_dates_that_may_be_read_in_two_ways_are_not_read():
    assert plain_date("03/05/2023") is None
    assert date_order_evidence(["03/05/2023"]) == (None, "")
    assert date_order_evidence(["03/05/2023", "05/31/2023"])[0] == "mdy"
    assert plain_date("31/02/2023", "dmy") is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("D7", 7),
        ("第2周", 14),
        ("month 1", 30),
        ("基线", 0),
        ("week_8_arm_2", 56),
        ("+3 d", None),
        ("CD25", None),
    ],
)
def test_visits_are_told_by_their_names(text, day):
    assert visit_day(text) == day


@pytest.mark.parametrize(
    ("levels", "name", "day", "unit"),
    [
        (("Week 1", "Ferritin (µg/L)"), "ferritin", 7, "µg/L"),
        (("ferritin_ng_ml",), "ferritin", None, "ng/ml"),
        (("plt_d14",), "platelets", 14, ""),
        (("D-dimer D7",), "d_dimer", 7, ""),
        (("铁蛋白（ng/mL）第7天",), "ferritin", 7, "ng/mL"),
        (("Hb [g/dL]", "Baseline"), "hemoglobin", 0, "g/dL"),
        (("Ferritin at week 1 (µg/L)",), "ferritin", 7, "µg/L"),
    ],
)
def test_headers_give_variable_day_and_unit(lexicon, levels, name, day, unit):
    header = lexicon.read(levels)
    sense = header.sense("measured")
    assert sense is not None
    assert (sense.name, header.day, header.unit) == (name, day, unit)


@pytest.mark.parametrize(
    ("name", "values", "unit", "certain"),
    [
        ("ferritin", [4200.0, 15000.0, 900.0], "ng/mL", False),
        ("alkaline_phosphatase", [1258.0, 7000.0, 300.0], "U/L", False),
        ("bilirubin", [10.7, 30.0, 5.0], "umol/L", False),
        ("bilirubin", [1.4, 20.0, 0.6], "mg/dL", False),
        ("platelets", [178000.0, 45000.0, 312000.0], "/uL", True),
        ("hemoglobin", [9.4, 8.8, 12.1], "g/dL", False),
    ],
)
def test_a_unit_is_taken_for_sure_only_if_the_values_of_the_ill_fit_no_other(
    lexicon, name, values, unit, certain
):
    found = unit_by_values(lexicon.vocabulary[name], values, _middle(lexicon, name))
    assert found[:2] == (unit, certain), found


@pytest.mark.parametrize("name", ["neutrophils(%)", "(%)lymphocyte", "Lymphocytes [%]"])
def test_a_share_of_cells_is_not_their_count(lexicon, name):
    assert lexicon.read((name,), slips=True).sense("measured") is None


def test_a_unit_at_the_end_of_a_name_must_be_one_of_the_variable(lexicon):
    assert lexicon.read(("ae_day",)).sense("events") is None


def test_personal_data_are_told_by_their_cells():
    assert is_national_id("11010519491231002X")
    assert kind_of_cells(["13812345678", "139 1234 5678"]) == "a phone number"
    assert kind_of_cells(["王伟明", "李芳", "张建国", "刘秀英"]) == "a name"
    assert kind_of_cells(["口服", "静脉", "皮下", "肌注"]) == ""
    assert needs_new_ids(["T01", "C12"]) == ""


def test_numbers_of_the_laboratory_are_no_personal_data():
    scrub = Scrubber(["王伟明"])
    for text in ("ferritin 15000", "2023-05-03", "0.5 mg/kg", "grade 3"):
        assert scrub.clean(text) == text
    assert "王伟明" not in scrub.clean("王伟明诉发热, 电话 13812345678")
