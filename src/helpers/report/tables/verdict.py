"""What a comparison with historical controls shows: what stands, what is fragile, what cannot be known.

Every line reads one stored row and names it. The verdict is a rule, not an opinion: a line stands if the
result survives all that was tried, is fragile if something tried takes it away, and cannot be known where the
data do not say.

>>> verdict_table(statistics, "day_56", watermark="").texts[0][:3]
['What stands']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from helpers.report.tables.cells import (
    Cell,
    count_of,
    estimate_interval,
    number,
    p_equation,
    sentence,
    short_method,
    size,
    verbatim,
    words,
)
from helpers.report.tables.content import Row, column, heading, message, row
from helpers.report.tables.evidence import Evidence, Kind, Line, estimated, interval_excludes, known, reason
from helpers.report.tables.table import Table
from helpers.results.catalogue import (
    CoInterventionRows,
    ControlEraRows,
    ControlTimeRows,
    DesignErrorRows,
    EstimandRows,
    FewEventsRows,
    FragilityRows,
    ImputationRows,
    LimitScenarioRows,
    MissingBoundsRows,
    SpecificationRows,
    UnmeasuredConfounderRows,
    WeightedEffectRows,
    WinStatisticsRows,
)
from helpers.results.format import ALPHA
from helpers.vocabulary.names import in_text

if TYPE_CHECKING:
    from helpers.results.store import Statistic, Statistics

HEADINGS: dict[Kind, str] = {
    "stands": "What stands",
    "fragile": "What is fragile",
    "unknown": "What cannot be known from these data",
}
# Changed outcomes beyond which a result is not called fragile: as many as are tried.
TRIED = 3
POINTS = " percentage points"


def verdict_lines(
    statistics: Statistics,
    timepoint: str,
    *,
    adjusted_for: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
) -> list[Line]:
    """Return the lines of the verdict.

    Args:
        statistics: rows of the notebook and of those before it.
        timepoint: the horizon.
        adjusted_for: labels of the covariates of the weights.
        labels: label of each characteristic by name.

    >>> [line.kind for line in verdict_lines(statistics, "day_56")][0]
    'stands'
    """
    evidence = Evidence(statistics, timepoint, labels or {})
    found = [line for ask in _QUESTIONS for line in ask(evidence)]
    found += _weighting(evidence, adjusted_for)
    if not _anything_to_lose(evidence):
        found = [replace(line, kind="unknown") if line.kind == "fragile" else line for line in found]
    return sorted(found, key=lambda line: list(HEADINGS).index(line.kind))


def verdict_table(
    statistics: Statistics,
    timepoint: str,
    *,
    adjusted_for: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    watermark: str,
) -> Table:
    """Return the verdict on one page: question, finding and the identifier of the row behind it."""
    lines = verdict_lines(statistics, timepoint, adjusted_for=adjusted_for, labels=labels)
    rows: list[Row] = []
    for kind, title in HEADINGS.items():
        mine = [line for line in lines if line.kind == kind]
        rows += [heading(title)] if mine else []
        rows += [
            row(line.question, _with_methods(line.finding, statistics), verbatim(line.row.id))
            for line in mine
        ]
    if not any(known(line.row) for line in lines):
        rows = []
    nothing = [message("There are no two groups with a follow-up, so nothing is compared.")]
    columns = [column("Question"), column("Finding", left=True), column("Row", left=True)]
    note = (
        "A result stands if it survives all that was tried, and is fragile if something tried takes it away. "
        "Significance is a {p_value} below 0.05; it is no truth, and its loss is no absence of an effect."
    )
    title = "What the comparison with historical controls shows"
    return Table("table_s21_verdict", title, columns, rows or nothing, [note], watermark)


def _with_methods(finding: Cell, statistics: Statistics) -> Cell:
    """Mark the test of every p-value in a finding."""
    for value in finding.values:
        if value.kind.startswith("p_"):
            finding = finding.marked(sentence(short_method(statistics[value.first.id].method)))
    return finding


def _anything_to_lose(evidence: Evidence) -> bool:
    """Whether any test of survival is significant: only then is there a result to take away."""
    found = evidence.find(SpecificationRows.significant, "analytic")
    return found is not None and found.value > 0


def _choice_of_test(evidence: Evidence) -> Iterator[Line]:
    found = evidence.find(SpecificationRows.significant, "analytic")
    if found is None or not known(found):
        return
    text = number(found) + " of " + size(found) + " tests of the same data are significant."
    kind: Kind = "stands" if found.value == found.n else ("fragile" if found.value else "unknown")
    yield Line(kind, "Choice of the test", text, found)


def _common_lag(evidence: Evidence) -> Iterator[Line]:
    found = evidence.find(ControlTimeRows.lag_tipping_point)
    if found is None:
        return
    question = "Days from eligibility to the drug"
    if not known(found):
        survives = found.p_value == found.p_value
        text = words("{p_value} stays significant for every common lag tried.") if survives else reason(found)
        yield Line("stands" if survives else "unknown", question, text, found)
    elif found.value == 0:
        yield Line("unknown", question, words("{p_value} is 0.05 or more without any lag."), found)
    else:
        text = "Significance is lost from a common lag of " + number(found) + " days on (" + p_equation(found)
        yield Line("fragile", question, text + ").", found)


def _from_eligibility(evidence: Evidence) -> Iterator[Line]:
    for question, key in (
        ("Time counted from eligibility, by prescriptions", ControlTimeRows.delayed_entry),
        ("The drug counted from its first day", ControlTimeRows.time_varying),
    ):
        yield from estimated(
            evidence, question, key, 1.0,
            lambda found: "Hazard ratio " + estimate_interval(found, 2) + ", " + p_equation(found) + ".",
        )  # fmt: skip


def _one_more_death(evidence: Evidence) -> Iterator[Line]:
    found = evidence.find(FragilityRows.fisher_index)
    if found is None:
        return
    question = "One death more or less"
    if not known(found):
        yield Line("unknown", question, reason(found), found)
        return
    if found.p_value < ALPHA:  # changed outcomes bring p below it: there was no result to lose
        text = words("{p_value} is 0.05 or more by Fisher's test; ") + number(found)
        text = text + words(" changed outcome(s) would bring it below.")
        yield Line("unknown", question, text, found)
        return
    who = "treated " if _fewer_deaths_treated(evidence) else ""
    text = "Significance by Fisher's test is lost at " + number(found)
    text = text + f" more {who}death" + ("" if found.value == 1 else "s") + " (" + p_equation(found) + ")."
    yield Line("fragile" if found.value <= TRIED else "stands", question, text, found)


def _fewer_deaths_treated(evidence: Evidence) -> bool:
    one, none = (
        evidence.find(EstimandRows.named(f"treatment_policy_{arm}")) for arm in ("treated", "reference")
    )
    return bool(one and none and one.n and none.n and one.value / one.n <= none.value / none.n)


def _era(evidence: Evidence) -> Iterator[Line]:
    found, gap = (evidence.find(ControlEraRows.named(name)) for name in ("calendar_overlap", "calendar_gap"))
    question = "Another era"
    if found is not None and not known(found):
        yield Line("unknown", question, reason(found), found)
    elif found is not None and gap is not None and found.value == 0:
        text = "The arms lie " + number(gap, 1) + " years apart: era cannot be told from the drug."
        yield Line("unknown", question, text, gap)
    elif found is not None:
        text = number(found, 0, unit="%") + " of the patients lie in calendar time that both arms have."
        yield Line("stands" if found.value == 100 else "fragile", question, text, found)


def _better_era(evidence: Evidence) -> Iterator[Line]:
    found = evidence.find(ControlEraRows.tipping_point)
    if found is None or not known(found):
        return
    text = "Significance is lost if the later era alone had bettered control survival by " + number(found, 1)
    yield Line("fragile", "A better era", text + POINTS + " (" + p_equation(found) + ").", found)


def _trend(evidence: Evidence) -> Iterator[Line]:
    found = evidence.find(ControlEraRows.control_trend)
    if found is None:
        return
    question = "Trend of deaths within the control years"
    if not known(found):
        yield Line("unknown", question, reason(found), found)
        return
    seen = interval_excludes(found, 1.0)
    text = "Odds ratio of death a calendar year " + estimate_interval(found, 2)
    said = (
        ": deaths were changing before the drug." if seen else ": a trend can neither be seen nor excluded."
    )
    yield Line("fragile" if seen else "unknown", question, text + said, found)


def _severity(evidence: Evidence) -> Iterator[Line]:
    found = evidence.find(WeightedEffectRows.budget, "model")
    if found is None or not found.n:
        return
    text = "These patients carry a model of " + number(found) + " of " + size(found)
    text = text + " recorded characteristics"
    if found.value >= found.n:
        yield Line("stands", "Severity", text + ".", found)
    else:
        yield Line("unknown", "Severity", text + ": severity cannot be told from the drug.", found)


def _unmeasured(evidence: Evidence) -> Iterator[Line]:
    found = evidence.find(UnmeasuredConfounderRows.e_value)
    if found is None:
        return
    question = "A confounder that nobody measured"
    if not known(found) or found.lower != found.lower:
        yield Line("unknown", question, reason(found), found)
    elif found.lower == 1:
        yield Line(
            "unknown", question, words("The interval includes no effect without any confounder."), found
        )
    else:
        text = "One tied to treatment and to death by risk ratios of " + number(found, 1, column="lower")
        text = text + " takes the limit to no effect; the estimate, by " + number(found, 1) + "."
        yield Line("fragile", question, text, found)


def _added_drugs(evidence: Evidence) -> Iterator[Line]:
    one, none = (
        evidence.find(CoInterventionRows.named(f"begun_{arm}"), "any") for arm in ("treated", "reference")
    )
    if one is None or none is None:
        return
    question = "What else was given"
    if not (one.value or none.value):
        yield Line("stands", question, verbatim("Nobody began a further drug against the disease."), one)
        return
    text = count_of(one) + " treated and " + count_of(none)
    text = text + " controls began a further course: the part of the study drug alone cannot be told."
    yield Line("unknown", question, text, none)


def _composite(evidence: Evidence) -> Iterator[Line]:
    yield from estimated(
        evidence, "A further course counted as failure", EstimandRows.composite, 0.0,
        lambda row: "Risk difference " + estimate_interval(row, 1) + POINTS + ", " + p_equation(row) + ".",
    )  # fmt: skip


def _response(evidence: Evidence) -> Iterator[Line]:
    yield from estimated(
        evidence, "Response, the missing as worst and best", MissingBoundsRows.difference_interval, 0.0,
        lambda row: "Difference among the known " + number(row, 1) + POINTS
        + "; over all outcomes of the missing, with its error, " + number(row, 1, column="lower") + " to "
        + number(row, 1, column="upper") + ".",
        variable="response", otherwise="unknown",
    )  # fmt: skip


def _few_events(evidence: Evidence) -> Iterator[Line]:
    yield from estimated(
        evidence, "Few deaths, exact interval", FewEventsRows.exact_logrank_interval, 1.0,
        lambda found: "Hazard ratio " + estimate_interval(found, 2) + " by inverting the exact test.",
    )  # fmt: skip
    share = evidence.find(FewEventsRows.probability_below_1_sceptical)
    yield from estimated(
        evidence, "A sceptical reader", FewEventsRows.posterior_sceptical, 1.0,
        lambda found: "Hazard ratio " + estimate_interval(found, 2) + " after the data"
        + ("; probability of any benefit " + number(share, 0, unit="%") if share else "") + ".",
    )  # fmt: skip


def _wins(evidence: Evidence) -> Iterator[Line]:
    rows = evidence.statistics.select(WinStatisticsRows.probability_better)
    for found in rows:
        name = found.variable.replace("_", ", then ")
        yield from estimated(
            evidence,
            f"Who fares better: {name}",
            WinStatisticsRows.probability_better,
            50.0,
            lambda found: (
                "A treated patient fares better with probability "
                + estimate_interval(found, 0, "%")
                + ", "
                + p_equation(found)
                + "."
            ),
            variable=found.variable,
        )


def _design(evidence: Evidence) -> Iterator[Line]:
    power, size_error = (
        evidence.find(DesignErrorRows.named(f"{name}_logrank_0_5")) for name in ("power", "type_m")
    )
    if power is None or size_error is None or not known(power):
        return
    text = "Were the hazard truly halved, power would be " + number(power, 0, unit="%")
    text = text + ", and significant results would exaggerate " + number(size_error, 1) + " times."
    yield Line("unknown", "Size of the effect", text, power)


def _limits(evidence: Evidence) -> Iterator[Line]:
    rows = evidence.statistics.select(LimitScenarioRows.hazard_ratio_at_limit)
    for found in rows:
        yield from estimated(
            evidence,
            f"{evidence.label(found.variable)} beyond a reporting limit",
            LimitScenarioRows.hazard_ratio_at_limit,
            1.0,
            lambda row: (
                "Weighted for it, the values taken at the limit: hazard ratio "
                + estimate_interval(row, 2)
                + _tenfold(evidence, row)
                + "."
            ),
            variable=found.variable,
        )


def _tenfold(evidence: Evidence, row: Statistic) -> Cell:
    far = evidence.find(LimitScenarioRows.hazard_ratio_tenfold, row.variable)
    if far is None or not known(far):
        return verbatim("")
    return "; at ten times the limit " + estimate_interval(far, 2)


def _imputed_response(evidence: Evidence) -> Iterator[Line]:
    yield from estimated(
        evidence, "Response, the missing imputed within the arms", ImputationRows.difference, 0.0,
        lambda row: "Difference " + estimate_interval(row, 1) + POINTS
        + ", if the missing are like the known of their arm.",
        variable="response", otherwise="unknown",
    )  # fmt: skip


def _weighting(evidence: Evidence, adjusted_for: Sequence[str]) -> list[Line]:
    names = " and ".join(in_text(label.split(",")[0]) for label in adjusted_for) or "measured covariates"
    return list(
        estimated(
            evidence, f"Weighted for {names}", WeightedEffectRows.hazard_ratio, 1.0,
            lambda found: "Hazard ratio " + estimate_interval(found, 2) + ", overlap weights.",
            variable="ato",
        )
    )  # fmt: skip


_QUESTIONS: tuple[Callable[[Evidence], Iterator[Line]], ...] = (
    _choice_of_test, _few_events, _wins, _composite, _common_lag, _from_eligibility, _one_more_death,
    _better_era, _unmeasured, _limits, _era, _severity, _added_drugs, _trend, _response,
    _imputed_response, _design,
)  # fmt: skip
