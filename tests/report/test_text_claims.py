"""What the generated text claims is what the statistics say, in both languages, for six cohorts."""

from __future__ import annotations

import re

import pytest
from analysed import QUICK, TONGJI, analysed

from helpers.report.text.claims import ALPHA, Claim, Row, every_claim
from helpers.report.text.document import build_document
from helpers.report.text.parts import PARTS
from helpers.report.text.sections import every_section
from helpers.report.text.settings import UnknownSettingError, setting_text
from helpers.report.text.wording import LANGUAGES, Wording, language_file
from helpers.results.store import Statistic

WITHOUT_TONGJI = pytest.mark.skipif(not TONGJI.is_dir(), reason="the Tongji samples are not at hand")
SLOW = [
    pytest.param("pbc", marks=pytest.mark.slow),
    pytest.param("tongji", marks=[pytest.mark.slow, WITHOUT_TONGJI]),
]
COHORTS = [*QUICK, *SLOW]
# Words that say a direction, and words that take a claim back; written anew, not read from the templates.
HIGHER = {
    "en": r"longer|higher|[Mm]ore|rose|risen|a rise|above 1|better",
    "zh": "优于|高于|较高|较多|升|在1之上",
}
LOWER = {
    "en": r"shorter|lower|[Ff]ewer|less frequent|fell|fallen|a fall|below 1|only",
    "zh": "差于|低于|较低|较少|降|在1之下|仅为",
}
SAME = {"en": "same|neither|stayed", "zh": "相同|无优劣|保持不变"}
TAKEN_BACK = {
    "en": "not tell|holds 1|No clear|was the same|could not be estimated",
    "zh": "不能将|包含1|未见明确|相同|无法估计",
}
# Bare items inside a sentence that says direction or doubt: "ferritin (5982 to 441; p < 0.001)".
ITEMS = {"course.variable"}
# These tell the direction by the estimate and what the data bear out by its interval; what no effect is.
ESTIMATES = {
    "survival.hazard_ratio": 1.0,
    "endpoint.hazard_ratio": 1.0,
    "endpoint.odds_ratio": 1.0,
    "survival.risk_difference": 0.0,
}
# Without significance these name the estimate and no direction.
NEUTRAL = {*ESTIMATES, "composite_rank.compared"}
# Numbers of the wording: names of days, grades and thresholds of conventions, not results.
ALLOWED = (
    *(
        "[Dd]ay 0",
        "第0天",
        "SHA-256",
        r"0\.1",
        "grade 3 or 4",
        "grade 3",
        "grade 1",
        "3级或4级",
        "3级",
        "1级",
        "per 100",
    ),
    *("每100", "1之上", "1之下", "包含1", "holds 1", "(above|below) 1"),
)


@pytest.fixture(params=COHORTS)
def study(request):
    return analysed(request.param)


def claims_of(study):
    sections = every_section(study)
    return [claim for paragraphs in sections.values() for claims in paragraphs for claim in claims]


def test_direction_is_that_of_the_compared_rows(study):
    looked_at = 0
    for claim in every_claim(claims_of(study)):
        if not claim.direction:
            continue
        values = [study.statistics[name].value for name in claim.compared]
        first, second = (*values, claim.reference)[:2]
        expected = "higher" if first > second else "lower" if first < second else "same"
        assert claim.direction == expected, claim
        looked_at += 1
    assert looked_at >= 2


def test_significance_is_that_of_the_tested_row(study):
    for claim in every_claim(claims_of(study)):
        if claim.tested:
            p_value = study.statistics[claim.tested].p_value
            assert claim.significant == (None if p_value != p_value else p_value < ALPHA), claim
        elif claim.significant is not None:
            # Only an interval can bear a claim out without a p-value.
            row, none = study.statistics[claim.compared[0]], ESTIMATES[claim.key]
            assert claim.significant == (row.upper < none or row.lower > none)


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_say_the_direction_and_nothing_that_the_test_does_not_bear_out(study, language):
    wording = Wording.of(language, study.config)
    for claim in every_claim(claims_of(study)):
        if not claim.direction or claim.key in ITEMS:
            continue
        text = str(wording.render(claim))
        said = {"higher": HIGHER, "lower": LOWER, "same": SAME}[claim.direction][language]
        if claim.key in ESTIMATES and claim.significant is not None:
            assert shows_interval(text, study.statistics[claim.compared[0]], wording), text
        if claim.key.endswith("_ratio") or (claim.key in ESTIMATES and not claim.significant):
            directions = (HIGHER[language], LOWER[language])
            assert claim.direction == "same" or not any(re.search(way, text) for way in directions), text
            continue
        if claim.significant or claim.key not in NEUTRAL:
            assert re.search(said, text), text
        if claim.significant is False:
            assert re.search(TAKEN_BACK[language], text), text
        elif claim.significant and claim.direction != "same":
            assert not re.search(TAKEN_BACK[language], text), text


def shows_interval(text: str, row: Statistic, wording: Wording) -> bool:
    """Whether both limits of a row stand in a text, with or without their signs."""
    shown = [
        {
            str(wording.number(Row(row, digits), f"{limit}{form}"))
            for digits in range(3)
            for form in ("", "_size")
        }
        for limit in ("lower", "upper")
    ]
    return all(any(limit in text for limit in limits) for limits in shown)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_is_the_part_of_its_row(study, language):
    wording = Wording.of(language, study.config)
    seen = 0
    for claim in claims_of(study):
        for number in wording.render(claim).numbers:
            assert number.id in study.statistics
            assert number.text in spellings(study.statistics[number.id], number.part, wording), number
            seen += 1
    assert seen > 40


def spellings(row: Statistic, part: str, wording: Wording) -> set[str]:
    """Every way in which one part of a row can be printed."""
    return {str(wording.number(Row(row, digits), part)) for digits in (*range(5), None)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_declared_is_what_the_settings_say(study, language):
    document = build_document(study, Wording.of(language, study.config))
    keys = 0
    for block in document.blocks:
        for prose in (getattr(block, "text", None), getattr(block, "legend", None)):
            for fragment in prose or ():
                key = getattr(fragment, "key", "")
                words = (".label", "_label", ".title", ".day0", ".unit")
                if not key or key.endswith(words) or key in {"title", "data_note"}:
                    continue
                assert_declared(fragment, key, study)
                keys += 1
    assert keys > 5


def assert_declared(fragment, key, study):
    if key.endswith(".enrolment"):
        months = study.config.group(key.split(".")[1]).enrolment
        assert fragment.text in {Wording(language).date(month) for month in months for language in LANGUAGES}
    elif key == "follow_up.data_cutoff":
        day = setting_text(key, study.material)
        assert fragment.text in {Wording(language).date(day) for language in LANGUAGES}
    elif key == "source":
        source = study.config.source
        assert fragment.text in {Wording.of(language, study.config).term(source) for language in LANGUAGES}
        assert sorted(re.findall(r"\d+", fragment.text)) == sorted(re.findall(r"\d+", source))
    elif key == "data.events.grade":
        assert fragment.text in "12345"
    elif key in {"added_therapies", "study_drug", "data.events.term", "criteria.diagnosis"}:
        assert not re.search(r"\d", fragment.text) or fragment.text in str(study.config)
    else:
        try:
            assert fragment.text == setting_text(key, study.material)
        except UnknownSettingError:
            pytest.fail(f"{key} is declared nowhere")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_number_is_typed_into_a_sentence(language):
    allowed = "|".join(ALLOWED)
    for name in ("claims.toml", "methods.toml", "exhibits.toml"):
        for text in texts(language_file(language, name)):
            bare = re.sub(r"\{[^}]*\}|\[@[^]]*\]|table_s?\d\w*|figure_s?\d\w*", " ", text)
            assert not re.search(r"\d", re.sub(allowed, " ", bare)), text


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def shape(value):
    """Branches of a template and the slots that each branch shows."""
    if isinstance(value, dict):
        return {branch: shape(inner) for branch, inner in value.items()}
    return set(re.findall(r"\{(\w+)", value))


@pytest.mark.parametrize("name", ["claims.toml", "methods.toml"])
def test_both_languages_have_the_same_templates_with_the_same_slots(name):
    english, chinese = (language_file(language, name) for language in LANGUAGES)
    assert {key for key in english if "@" not in key} == set(chinese)
    for key, text in chinese.items():
        assert shape(text) == shape(english[key]), key


def test_every_part_that_a_template_asks_for_exists():
    for language in LANGUAGES:
        for name in ("claims.toml", "methods.toml", "exhibits.toml"):
            for text in texts(language_file(language, name)):
                assert set(re.findall(r"\{\w+\.(\w+)", text)) <= set(PARTS), text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("direction", ["higher", "lower", "same"])
@pytest.mark.parametrize("significant", [True, False, None])
def test_comparisons_have_words_for_every_outcome(language, direction, significant):
    row = Row(Statistic("a.b.both.day_1.c", "a", "b", "both", "day_1", "c", "", 1.0, 0.5, 2.0, 0.04, 9, 0))
    slots = dict.fromkeys(
        ["treated", "reference", "test", "day", "ratio", "level", "arm", "before", "after", "fall", "visit",
         "probability", "variable", "label", "difference", "unit"], row,
    ) | {"span": ""}  # fmt: skip
    keys = [key for key, text in language_file(language, "claims.toml").items() if isinstance(text, dict)]
    for key in keys:
        if key in {"baseline.variable_median", "baseline.variable_percent"} or key in ITEMS:
            continue
        if significant is None and key not in {"survival.hazard_ratio", "dose.change"}:
            continue  # no row of these is compared without a p-value
        assert str(Wording(language).render(Claim(key, slots, direction, significant)))


def test_a_difference_that_the_test_does_not_show_is_no_difference():
    study = analysed("nobody_dies")
    text = str(Wording().paragraph([c for p in every_section(study)["results.survival"] for c in p]))
    assert "Nobody died by day 56" in text
    assert "longer" not in text
    assert "hazard ratio of death" not in text


def test_one_group_is_compared_with_nobody():
    study = analysed("one_group")
    text = str(build_text(study))
    assert "one group" in text
    assert " against the " not in text
    assert " than in the " not in text
    assert "historical control" not in text.lower()


def test_missing_doses_are_said_to_be_missing():
    study = analysed("no_doses")
    text = str(build_text(study))
    assert "No glucocorticoid doses are recorded in this cohort." in text
    assert "prednisone" not in text
    assert "No treatment with the study drug is recorded" in text


def build_text(study):
    blocks = build_document(study, Wording()).blocks
    return "\n".join(str(block.text) for block in blocks if hasattr(block, "text"))
