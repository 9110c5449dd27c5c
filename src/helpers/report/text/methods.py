"""Claims about how the analysis was made: from the settings and the methods really used.

>>> [claim.key for claim in design(material)][:2]
['methods.two_groups_historical', 'methods.group_enrolled']
>>> [claim.key for claim in data_handling(material)][:2]
['methods.horizon', 'methods.visits']
>>> [claim.key for claim in statistical_methods(material)][:2]
['methods.baseline', 'methods.balance']
>>> [claim.key for claim in levels_of_response(config).claims][:1]
['methods.response_level']
>>> [claim.key for claim in definitions(material, {}, {})][:1]
['methods.response']
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from helpers.report.text import historical_control
from helpers.report.text.citations import works_on
from helpers.report.text.claims import Claim, Date, Items, Material, Row, Slot, Term, declared_alpha
from helpers.report.text.prose import Cite, Declared
from helpers.report.text.settings import setting_text
from helpers.report.text.steroids import spared, threshold
from helpers.report.text.survival import survival_test
from helpers.results.catalogue import (
    AdverseEventsRows,
    BalanceRows,
    BaselineRows,
    CoInterventionRows,
    CompositeRankRows,
    ComputedTwiceRows,
    ControlEraRows,
    CriteriaAgreementRows,
    DesignErrorRows,
    DiagnosisRows,
    DiscountedControlsRows,
    DoseThresholdCurveRows,
    EffectRows,
    EndpointEffectRows,
    EndpointRows,
    EstimandRows,
    EventRateRows,
    FlowRows,
    GlucocorticoidRows,
    LaboratoryRows,
    LaboratoryToxicityRows,
    PlanRows,
    ReportingLimitsRows,
    ResponseAgreementRows,
    ResponseByRuleRows,
    ResponseRows,
    SlopeBeforeDay0Rows,
    StateOccupancyRows,
    SurvivalRows,
    TimeToResponseRows,
    TrendRows,
    TruncationByDeathRows,
)
from helpers.results.headline import headline_ratio
from helpers.results.key import Analysis, Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from helpers.cohort.settings import CohortConfig, Group
    from helpers.results.store import Statistic

SOFTWARE = ("numpy", "pandas", "scipy", "statsmodels", "firthmodels", "matplotlib")


def design(material: Material) -> list[Claim]:
    """Who was compared with whom, when enrolled and from which day counted."""
    config = material.config
    claims = [_compared(material), *(_group(material, group) for group in config.groups)]
    claims += _day0(material)
    if config.eras_differ:
        claims.append(Claim("methods.eras_differ"))
    if config.follow_up.data_cutoff is not None:
        cutoff = Date(config.follow_up.data_cutoff.isoformat(), "follow_up.data_cutoff")
        claims.append(Claim("methods.cutoff", {"cutoff": cutoff}))
    if config.provenance != "real":
        claims.append(Claim("methods.not_patients", {"note": Term(config.data_note, "data_note")}))
    if config.source:
        claims.append(Claim("methods.source", {"source": Term(config.source, "source", "whole")}))
    return claims


def _compared(material: Material) -> Claim:
    """What kind of study it is: of one group, of two, of one with those of earlier years."""
    if len(material.config.groups) != 2:
        return Claim("methods.one_group", {"arm": material.arm(material.config.groups[0])})
    first, second = (material.arm(group) for group in material.config.groups)
    kind = "methods.two_groups_historical" if material.config.eras_differ else "methods.two_groups"
    return Claim(kind, {"first": first, "second": second})


def _day0(material: Material) -> list[Claim]:
    """From what follow-up counts, and what follows where the groups count from different events."""
    groups = material.config.groups
    days = {group.id: Term(group.day0, f"group.{group.id}.day0", "plain") for group in groups}
    if len({group.day0 for group in groups}) == 1:
        return [Claim("methods.day0", {"day0": days[groups[0].id]})]
    each = tuple(
        Claim("methods.day0_group", {"day0": days[group.id], "arm": material.arm(group)}) for group in groups
    )
    return [Claim("methods.day0_by_group", {"groups": Items(each)}), Claim("methods.day0_differs")]


def _group(material: Material, group: Group) -> Claim:
    n = material.statistics[FlowRows.analysed.id("patients", group=group.id, timepoint="baseline")]
    slots: dict[str, Slot] = {"arm": material.arm(group), "n": Row(n)}
    if group.enrolment is None:
        return Claim("methods.group", slots)
    first, last = (Date(month, f"group.{group.id}.enrolment") for month in group.enrolment)
    return Claim("methods.group_enrolled", slots | {"first": first, "last": last})


def data_handling(material: Material) -> list[Claim]:
    """Visits and their windows, the row that stands for a visit, what was excluded or not filled in."""
    config, stored = material.config, material.statistics
    visits = tuple(
        Claim(
            "methods.visit",
            {
                "visit": material.visit(visit.id),
                **{
                    name: Row(stored[PlanRows.named(name).id(visit.id, timepoint="baseline")], 0)
                    for name in ("day", "first", "last")
                },
            },
        )
        for visit in config.visits
        if PlanRows.day.id(visit.id, timepoint="baseline") in stored
    )
    claims = [Claim("methods.horizon", {"day": material.horizon})]
    if visits:
        claims.append(Claim("methods.visits", {"visits": Items(visits, "semicolons")}))
    claims.append(Claim(f"methods.tie_{config.windowing.tie}"))
    after = "allowed" if config.windowing.baseline_after_day0 else "not_allowed"
    claims.append(Claim(f"methods.baseline_after_{after}"))
    claims.append(Claim(f"methods.implausible_{config.implausible.action}"))
    if material.statistics.select(ReportingLimitsRows):
        claims.append(Claim("methods.limits"))
    if config.exclusions:
        number = Declared(str(len(config.exclusions)), "exclusion")
        claims.append(Claim("methods.excluded", {"number": number}))
    return [*claims, Claim("methods.missing")]


def definitions(
    material: Material, titles: Mapping[str, str], works: Mapping[str, tuple[str, ...]]
) -> list[Claim]:
    """Criteria, response, glucocorticoid dose, adverse events: how each was defined.

    Args:
        material: statistics and settings.
        titles: title of each criteria file that the analysis applied, by its name.
        works: keys of the works that such a file names as its source.
    """

    def named(name: str) -> Claim:
        title = Term(titles.get(name, name), f"criteria.{name}.title", "plain")
        return Claim("methods.named", {"title": title, "cite": Cite(works.get(name, ()))})

    return [
        *_criteria(material, titles, named),
        *_response(material, titles, named),
        *_steroids(material),
        *_safety(material, named),
    ]


def _criteria(material: Material, titles: Mapping[str, str], named: Callable[[str], Claim]) -> list[Claim]:
    from helpers.results.store import slug

    names = [name for name in titles if material.statistics.select(DiagnosisRows.met, variable=slug(name))]
    if not names:
        return []
    listed = Items(tuple(named(name) for name in names), "semicolons")
    return [Claim("methods.criteria", {"criteria": listed})]


def levels_of_response(config: CohortConfig) -> Items:
    """Return the levels of response in words, best first."""
    terms = (
        Term(level.label, ResponseRows.stem("level", group=level.id, timepoint="label"), "in_text")
        for level in config.response_levels
    )
    return Items(tuple(Claim("methods.response_level", {"level": term}) for term in terms), "commas")


def _response(material: Material, titles: Mapping[str, str], named: Callable[[str], Claim]) -> list[Claim]:
    config, claims = material.config, []
    if material.statistics.select(ResponseRows):
        ways: dict[str, Slot] = {
            name: Claim(f"methods.counts_as_{getattr(config.response, name)}")
            for name in ("dead_is", "withdrawn_is", "not_assessed_is")
        }
        claims.append(Claim("methods.response", ways | {"levels": levels_of_response(config)}))
    if material.statistics.select(ResponseByRuleRows):
        name = config.criteria.response
        found = next((key for key in titles if key in {name, f"response_{name}"}), name)
        claims.append(Claim("methods.response_rule", {"title": named(found)}))
    return claims


def _steroids(material: Material) -> list[Claim]:
    if not material.statistics.select(GlucocorticoidRows):
        return []
    summary = Claim(f"methods.dose_{material.config.steroids.dose_summary}")
    config = material.config
    converted = config.steroids.converted
    divided = Claim("methods.dose" if converted else "methods.dose_unconverted", {"spared": spared(config)})
    claims = [divided, summary]
    rows = material.statistics.select(GlucocorticoidRows.change_test)
    if rows:
        claims.append(Claim("methods.dose_tested", _method("test", rows[0])))
    if material.statistics.select(GlucocorticoidRows, variable="low_dose"):
        claims.append(Claim("methods.low_dose", {"limit": threshold(material)}))
    return claims


def _safety(material: Material, named: Callable[[str], Claim]) -> list[Claim]:
    claims = []
    if material.statistics.select(AdverseEventsRows):
        claims.append(Claim("methods.events", {"day": material.horizon}))
    if material.statistics.select(LaboratoryToxicityRows):
        claims.append(Claim("methods.toxicity", {"title": named(material.config.criteria.toxicity)}))
    return claims


def statistical_methods(material: Material) -> list[Claim]:
    """Tests, intervals and models, in the words of the rows' own method column."""
    stored = material.statistics
    claims = []
    claims += _baseline(material)
    adjusted = stored.select(BaselineRows.test_adjusted)
    if adjusted:
        claims.append(Claim("methods.adjusted", _method("method", adjusted[0])))
    changes = [row for row in stored.select(LaboratoryRows.change_test) if row.p_value == row.p_value]
    if changes:
        claims.append(Claim("methods.changes", {"methods": Items(_distinct(changes))}))
    claims += _named(material, _USED)
    shares = [r for r in stored.values() if r.method == "proportion, Clopper-Pearson interval"]
    if shares:
        claims.append(Claim("methods.shares", {"method": Row(shares[0]), "level": material.level}))
    claims += _survival(material)
    claims += historical_control.methods(material)
    claims += _named(material, _DESIGN_USED)
    lists = tuple(Claim(f"methods.reporting_{name}") for name in material.config.report.checklists)
    if lists:
        claims.append(Claim("methods.reporting", {"lists": Items(lists)}))
    claims.append(Claim("methods.level", {"level": material.level, "alpha": declared_alpha(material.alpha)}))
    seed = material.parameters.get("seed")
    if seed is not None:
        claims.append(Claim("methods.seed", {"seed": Declared(str(seed), "parameters.seed")}))
    return [*claims, _software()]


@dataclass(frozen=True)
class _Where:
    """Rows of a kind whose method says something."""

    key: Key
    words: str


Used = Key | type[Analysis] | _Where
# Methods that stand behind one kind of row, each named where such a row has a number.
_USED: dict[str, Used] = {
    "methods.shift": BaselineRows.shift,
    "methods.limits_tested": ReportingLimitsRows.test,
    "methods.mixed_model": TrendRows.visits,
    "methods.mixed_model_limits": _Where(TrendRows.visits, "as censored"),
    "methods.friedman": TrendRows.friedman,
    "methods.competing": TimeToResponseRows.incidence,
    "methods.competing_dose": GlucocorticoidRows.incidence,
    "methods.kappa": ResponseAgreementRows.kappa,
    "methods.kappa_criteria": CriteriaAgreementRows.kappa,
    "methods.composite_rank": CompositeRankRows.test,
    "methods.person_time": EventRateRows.per_100_patient_years,
}
_SURVIVAL_USED: dict[str, Used] = {
    "methods.risk_difference": EffectRows.risk_difference_newcombe,
    "methods.follow_up": SurvivalRows.median_follow_up,
    "methods.endpoints": EndpointRows,
    "methods.endpoint_effects": EndpointEffectRows,
}
_DESIGN_USED: dict[str, Used] = {
    "methods.control_added": CoInterventionRows.test,
    "methods.control_composite": EstimandRows.composite,
    "methods.control_trend": ControlEraRows.control_trend,
    "methods.control_states": StateOccupancyRows,
    "methods.control_doses": TruncationByDeathRows,
    "methods.control_thresholds": DoseThresholdCurveRows,
    "methods.control_slopes": SlopeBeforeDay0Rows,
    "methods.control_discounted": DiscountedControlsRows,
    "methods.control_design": DesignErrorRows,
    "methods.twice": ComputedTwiceRows,
}


def _named(material: Material, used: Mapping[str, Used]) -> list[Claim]:
    return [Claim(claim) for claim, what in used.items() if _used(material, what)]


def _used(material: Material, what: Used) -> bool:
    key, words = (what.key, what.words) if isinstance(what, _Where) else (what, "")
    rows = [row for row in material.statistics.select(key) if words in row.method]
    return any(row.value == row.value or row.p_value == row.p_value for row in rows)


def _baseline(material: Material) -> list[Claim]:
    """Which test compared which kind of variable, and how imbalance is expressed."""
    stored = material.statistics
    kinds: dict[str, list[Statistic]] = {"continuous": [], "binary": [], "categorical": []}
    for test in stored.select(BaselineRows.test):
        if test.p_value == test.p_value:
            kinds[_kind(test.variable, material)].append(test)
    named = tuple(
        Claim(f"methods.baseline_{kind}", {"methods": Items(_distinct(tests))})
        for kind, tests in kinds.items()
        if tests
    )
    claims = [Claim("methods.baseline", {"kinds": Items(named, "semicolons")})] if named else []
    error = stored.find(
        BalanceRows.standard_error, "standardized_difference", group="both", timepoint="baseline"
    )
    if error is not None and error.value == error.value:
        claims.append(Claim("methods.balance", {"error": Row(error, 2)}))
    return claims


def _kind(variable: str, material: Material) -> str:
    """Kind of a baseline variable, by what describes it."""
    described = {row.statistic for row in material.statistics.select(BaselineRows, variable=variable)}
    if described & {BaselineRows.median.statistic, BaselineRows.mean.statistic}:
        return "continuous"
    return "binary" if BaselineRows.percent.statistic in described else "categorical"


def _distinct(rows: Iterable[Statistic]) -> tuple[Claim, ...]:
    """Return one claim a method, in order of appearance."""
    from helpers.report.text.wording import plain_method

    found: dict[str, Statistic] = {}
    for row in rows:
        found.setdefault(plain_method(row.method), row)
    return tuple(Claim("methods.method", _method("row", row)) for row in found.values())


def _method(slot: str, row: Statistic) -> dict[str, Slot]:
    """Return a row whose method a sentence names, with the works that the method comes from."""
    return {slot: Row(row), "cite": Cite(works_on(row.method))}


def _survival(material: Material) -> list[Claim]:
    curves = material.statistics.select(SurvivalRows.survival)
    if not curves:
        return []
    usual = f"{material.config.survival.interval} interval"
    curve = next((row for row in curves if row.method.endswith(usual)), curves[0])
    claims = [Claim("methods.survival", _method("curve", curve))]
    test = survival_test(material)
    if test is not None:
        claims.append(Claim("methods.survival_test", _method("test", test)))
    ratio = headline_ratio(material.statistics, material.day)
    treated, reference = material.config.treated, material.config.reference
    if ratio is not None and treated is not None and reference is not None:
        slots: dict[str, Slot] = {"treated": material.arm(treated), "reference": material.arm(reference)}
        claims.append(Claim("methods.hazard_ratio", slots | _method("ratio", ratio)))
    claims += _named(material, _SURVIVAL_USED)
    if material.statistics.select(EffectRows):
        key = "rows.effect.methods"
        claims.append(Claim("methods.effects", {"number": Declared(setting_text(key, material), key)}))
    return claims


def _software() -> Claim:
    named = []
    for name in SOFTWARE:
        try:
            number = version(name)
        except PackageNotFoundError:
            continue
        slots: dict[str, Slot] = {"name": name, "version": Declared(number, f"software.{name}")}
        slots["cite"] = Cite(works_on(name))
        named.append(Claim("methods.package", slots))
    python = Declared(".".join(platform.python_version_tuple()[:2]), "software.python")
    return Claim("methods.software", {"python": python, "packages": Items(tuple(named))})
