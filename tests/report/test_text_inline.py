"""Stored numbers in prose: the one formatter, the identifier kept, absence told from a slip of the pen."""

import pytest
from analysed import analysed

from helpers.report.text.absence import UnknownStatisticError
from helpers.report.text.claims import Material
from helpers.report.text.inline import TemplateError, fill, inline
from helpers.report.text.parts import PartError, part_text
from helpers.report.text.prose import Number
from helpers.report.text.settings import UnknownSettingError
from helpers.report.text.wording import Wording
from helpers.results.store import Statistic, Statistics

LOGRANK = "survival.death.both.day_56.logrank"


def row(**columns):
    parts = {"analysis": "a", "variable": "b", "group": "g", "timepoint": "t", "statistic": "rate"}
    parts |= {key: columns.pop(key) for key in list(columns) if key in parts}
    return Statistic(".".join(parts.values()), **parts, **columns)


@pytest.mark.parametrize(
    ("part", "digits", "expected"),
    [
        ("value", None, "45.0%"),
        ("bare", None, "45.0"),
        ("value", 0, "45%"),
        ("lower", 1, "23.1"),
        ("upper_sign", 0, "68%"),
        ("ci", 1, "23.1 to 68.5%"),
        ("value_ci", 1, "45.0% (23.1 to 68.5%)"),
        ("p", None, "p < 0.001"),
        ("p_value", 2, "<0.01"),
        ("n", None, "20"),
        ("n_missing", None, "1"),
        ("percent", None, "45.0%"),
        ("method", None, "proportion"),
    ],
)
def test_parts_of_a_percentage(part, digits, expected):
    stored = row(
        value=45.0, lower=23.06, upper=68.47, p_value=0.0004, n=20, n_missing=1, unit="%", method="proportion"
    )
    assert part_text(stored, part, digits) == expected


def test_parts_of_a_count_and_of_a_share():
    count = row(value=17.0, n=20, unit="patients")
    assert [part_text(count, part) for part in ("value", "of", "percent", "count_percent")] == [
        "17", "17/20", "85.0%", "17 (85%)"
    ]  # fmt: skip
    share = row(statistic="survival", value=0.95, lower=0.695, upper=0.993)
    assert part_text(share, "value_ci") == "95.0% (69.5 to 99.3%)"


def test_what_cannot_be_estimated_is_said():
    stored = row(value=float("nan"))
    assert part_text(stored, "value") == "NE"
    assert part_text(stored, "p") == "p = NE"


def test_unknown_parts_and_parts_that_a_row_lacks():
    with pytest.raises(PartError, match=r"no part 'pp'.*value, bare"):
        part_text(row(value=1.0), "pp")
    with pytest.raises(PartError, match="has no n"):
        part_text(row(value=1.0), "n")
    with pytest.raises(PartError, match="neither a share nor a count"):
        part_text(row(value=1.0, unit="days"), "percent")


@pytest.fixture(scope="module")
def study():
    return analysed("rdmas_reconstructed")


class TestInline:
    def test_keeps_the_identifier(self, study):
        found = inline(study.statistics, LOGRANK, "p", config=study.config)
        assert found == Number("p = 0.011", LOGRANK, "p")
        assert f"The curves differ ({found})." == "The curves differ (p = 0.011)."
        assert f'data-statistic="{LOGRANK}"' in found._repr_html_()

    def test_patterns_and_the_horizon(self, study):
        ask = {"config": study.config, "part": "p"}
        assert inline(study.statistics, "survival.*.both.day_{horizon}.logrank", **ask).id == LOGRANK
        with pytest.raises(UnknownStatisticError, match=r"names \d+ statistics"):
            inline(study.statistics, "baseline.*.both.baseline.test", **ask)

    def test_a_slip_of_the_pen_names_what_is_near(self, study):
        with pytest.raises(UnknownStatisticError, match=rf"near it: .*{LOGRANK}"):
            inline(study.statistics, "survival.death.both.day_65.logrank", config=study.config)
        with pytest.raises(UnknownStatisticError, match=r"no statistic survival\.death\.tretaed"):
            inline(study.statistics, "survival.death.tretaed.day_56.survival", config=study.config)

    @pytest.mark.parametrize(
        ("cohort", "identifier", "said"),
        [
            ("no_doses", "glucocorticoid.dose.control.week_8.median", "No glucocorticoid doses are"),
            ("one_group", LOGRANK, "The cohort has one group"),
            ("nobody_dies", "survival.death.both.day_56.hazard_ratio", "With no death to compare"),
            ("rdmas_reconstructed", "baseline.creatinine.control.baseline.median", "Creatinine is not"),
            ("rdmas_reconstructed", "response.overall.control.week_8.rate", "for the historical"),
        ],
    )  # fmt: skip
    def test_data_that_a_cohort_lacks_are_said_to_be_lacking(self, cohort, identifier, said):
        other = analysed(cohort)
        assert said in str(inline(other.statistics, identifier, "value", config=other.config))

    def test_in_chinese(self, study):
        count = "adverse_events.any.ruxolitinib.follow_up.count"
        ask = {"config": study.config, "language": "zh"}
        assert str(inline(study.statistics, count, "count_percent", **ask)) == "4例（20%）"
        assert str(inline(study.statistics, LOGRANK, "p", **ask)) == "P = 0.011"
        absent = inline(study.statistics, "baseline.creatinine.control.baseline.median", **ask)
        assert str(absent) == "本队列未记录肌酐。"


class TestTemplate:
    def test_numbers_and_settings(self, study):
        text = (
            "At day {{ setting: follow_up.horizon_days }} "
            "{{ survival.death.control.day_{horizon}.survival | value:0 }} "
            "were alive ({{ survival.death.both.day_{horizon}.logrank | p }})."
        )
        filled = fill(text, study.material, Wording())
        assert str(filled) == "At day 56 62% were alive (p = 0.011)."
        assert filled.ids == ("survival.death.control.day_56.survival", LOGRANK)
        assert 'data-setting="follow_up.horizon_days"' in filled._repr_html_()

    def test_a_sentence_without_data_gives_way_to_one_that_says_so(self):
        other = analysed("no_doses")
        text = (
            "It was {{ survival.death.ruxolitinib.day_56.survival }}. "
            "The dose was {{ glucocorticoid.dose.ruxolitinib.week_8.median }}. "
            "Before it was {{ glucocorticoid.dose.ruxolitinib.baseline.median }}."
        )
        filled = str(fill(text, other.material, Wording()))
        assert filled == "It was 95.0%. No glucocorticoid doses are recorded in this cohort."

    @pytest.mark.parametrize(
        ("text", "error", "said"),
        [
            ("{{ survival }}", TemplateError, "five parts joined by dots"),
            ("{{ survival.death.both.day_56.logrank | q }}", PartError, "no part 'q'"),
            ("{{ setting: follow_up.horizon }}", UnknownSettingError, "no setting follow_up.horizon"),
            ("{{ setting: visit.week_9.label }}", UnknownSettingError, "no visit 'week_9'"),
            ("{{ survival.death.both.day_56.logrunk | p }}", UnknownStatisticError, "logrank"),
        ],
    )
    def test_errors_name_the_placeholder(self, study, text, error, said):
        with pytest.raises(error, match=said):
            fill(text, study.material, Wording())

    def test_nothing_is_stored_yet(self, study):
        empty = Material(Statistics([]), study.config, 56.0)
        filled = fill("{{ survival.death.ruxolitinib.day_56.survival }}", empty, Wording())
        assert str(filled) == "No survival times are recorded in this cohort."
