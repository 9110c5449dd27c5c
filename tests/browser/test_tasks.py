"""Ten tasks of a clinician who writes no code, each done by the page alone."""

from __future__ import annotations

from driving import Driven


def test_survival_by_sex(driven: Driven) -> None:
    driven.choose("Split by", "Sex")
    assert driven.rows[0] == ["Deaths by day 56", "6 (18%)", "3 (38%)", ""]


def test_survival_at_four_weeks_of_everybody(driven: Driven) -> None:
    driven.choose("Split by", "Nothing: everybody together")
    driven.write("Last day", "28")
    assert driven.rows[0] == ["Deaths by day 28", "7 (17%)"]


def test_ferritin_of_those_who_died(driven: Driven) -> None:
    driven.start("Course")
    driven.choose("Measurement", "Ferritin, ng/mL")
    driven.choose("Only", "Death by day 56: died")
    driven.tick("Draw fewer than five")
    driven.choose("Patients behind", "Week 1")
    assert driven.title == "Exploratory. Ferritin, ng/mL at week 1, patient by patient"
    assert len(driven.rows) == 5


def test_who_was_in_partial_response_at_week_2_only(driven: Driven) -> None:
    driven.start("Response")
    driven.choose("List those who at", "Week 2")
    driven.choose("were", "PR")
    everybody = len(driven.rows)
    driven.tick("and at no other visit")
    assert everybody == 13
    assert driven.title == "Exploratory. PR at week 2 and at no other visit: 0 patients"


def test_the_dose_curve_without_one_patient(driven: Driven) -> None:
    driven.start("Steroids")
    with_all = driven.figure
    driven.choose_several("Without", "R07")
    assert "Without R07." in driven.message
    assert driven.figure != with_all
    assert "[19]" in driven.rows[0][1]


def test_table_1_of_one_disease(driven: Driven) -> None:
    driven.start("Table 1")
    driven.choose("Only", "Underlying disease: AOSD")
    heads = driven.page.locator("table.gt_table thead th").all_inner_texts()
    assert "Ruxolitinib (n = 13)" in heads


def test_the_same_figure_for_a_journal(driven: Driven) -> None:
    before = driven.figure
    driven.choose("Figure for", "The Lancet")
    assert driven.figure
    assert driven.figure != before
    assert "journal='lancet'" in driven.code


def test_the_lag_at_which_p_leaves_a_twentieth(driven: Driven) -> None:
    driven.start("Robustness")
    (row,) = [row for row in driven.rows if row[0].startswith("Least lag")]
    lag = row[1].split()[0]
    for days, below in ((str(int(lag) - 1), True), (lag, False)):
        driven.slide("Common lag, days", days)
        (told,) = [row for row in driven.rows if row[0].startswith("Had all treated begun")]
        assert (float(told[2].strip("<")) < 0.05) == below


def test_why_a_patient_is_called_refractory(driven: Driven) -> None:
    driven.start("Patient")
    driven.choose("Patient", "R05")
    assert "patient R05" in driven.described
    assert any(row[0].startswith("Refractory") for row in driven.rows)
    assert any("measurements, line" in row[-1] for row in driven.rows)


def test_survival_after_a_response_at_week_1_asks_for_a_landmark(driven: Driven) -> None:
    driven.choose("Split by", "Response at week 1")
    assert "Choose a landmark on day 10 or later" in driven.message
    assert driven.figure == ""
    driven.write("Landmark on day", "10")
    assert driven.figure, driven.message
    assert "Landmark on day 10" in driven.message


def test_survival_counted_from_eligibility(driven: Driven) -> None:
    at_day_0 = driven.rows
    driven.choose("Count from", "eligibility")
    assert "Counted from eligibility, at risk from day 0 on" in driven.message
    assert driven.rows != at_day_0
