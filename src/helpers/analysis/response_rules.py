"""Response by rule from the laboratory values, beside the clinicians' own calls and under every variant.

>>> found = call_responses(tables, config, folder)
>>> describe_calls(found, config, store, confidence=0.95)
>>> store.rows()["response_by_rule.overall.ruxolitinib.week_1.rate"].value
45.0
>>> discordant = describe_agreement(found, store)
>>> len(discordant), len(discordant_evidence(found, discordant))
(0, 0)
>>> describe_variants(found, tables, config, store, confidence=0.95)[0]
'paper'
>>> describe_endpoints(found, tables, config, store, horizon_days=56, confidence=0.95)
>>> store.rows()["time_to_response.clinician.ruxolitinib.follow_up.median_day"].value
9.0
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.analysis.clinical import Rulebook, by_group, clinical_facts, own_criteria
from helpers.analysis.response import in_three_classes
from helpers.analysis.summary import store_share
from helpers.clinical.errors import NothingRecordedError
from helpers.clinical.response import (
    VARIANTS,
    ResponseRule,
    assess_response,
    compare_rules,
    response_evidence,
    transfusion_facts,
    withdrawal_days,
)
from helpers.clinical.response_endpoints import (
    agreement_with_clinician,
    best_response,
    confirmed_response,
    sustained_response,
    time_to_response,
)
from helpers.results.store import slug
from helpers.stats.competing import cumulative_incidence

if TYPE_CHECKING:
    from helpers.clinical.facts import Facts
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

CALLS, AGREEMENT, VARIANT = "response_by_rule", "response_agreement", "response_variant"
ENDPOINT, TIME = "response_endpoint", "time_to_response"
CLASSES = ("CR", "PR", "NR")
CLINICIAN, RULE = "clinician", "rule"
CALLED = ("CR", "PR", "NR", "missing")


@dataclass(frozen=True)
class RuleCalls:
    """Response of every patient at every visit after baseline, by the configured rule.

    Attributes:
        facts: what is known of the patients at the visits.
        rule: the rule, with every open choice as a setting; None if the cohort applies none.
        calls: see `helpers.clinical.response.assess_response`; with the patient's group.
        clinician: the clinicians' calls in three classes: patient_id, visit, day, response; may be empty.
        withdrawn: day from which each patient had left the study drug for want of effect or tolerance.
        settings: how dead, withdrawn and not assessed patients count, by the cohort's configuration.
        rules: the rules that the cohort can apply.
        folder: the cohort's folder.
        why_not: why there is nothing to call; empty where there is.
    """

    facts: Facts
    rule: ResponseRule | None
    calls: pd.DataFrame
    clinician: pd.DataFrame
    withdrawn: Mapping[str, float]
    settings: Mapping[str, str]
    rules: Rulebook
    folder: Path
    why_not: str = ""

    @property
    def groups(self) -> list[str]:
        """Groups in which the rule could call anybody after baseline, in order of appearance."""
        seen = self.calls[self.calls["n_recorded"] > 0] if len(self.calls) else self.calls
        return list(dict.fromkeys(seen["group"])) if len(seen) else []


def call_responses(tables: AnalysisTables, config: CohortConfig, folder: Path) -> RuleCalls:
    """Call CR, PR or NR for every patient and visit by the configured rule, from the recorded values alone.

    Who is dead, has left the study drug, or was not assessed counts as the cohort's ``[response]`` says. An
    empty ``[criteria] response`` switches the rule off.
    """
    facts = transfusion_facts(clinical_facts(tables, config), tables.treatments)
    settings = {
        "dead": config.response.dead_is,
        "withdrawn": config.response.withdrawn_is,
        "missing": config.response.not_assessed_is,
    }
    rules = Rulebook.of(config, folder)
    rule = rules.response(config.criteria.response, settings) if config.criteria.response else None
    left = withdrawal_days(tables.treatments, config.study_drugs)
    clinician = in_three_classes(tables.responses[tables.responses["visit"].notna()], config)
    shared = {"withdrawn": left, "settings": settings, "rules": rules, "folder": Path(folder)}
    calls, why_not = pd.DataFrame(columns=["group", "n_recorded"]), ""
    if rule is None:
        why_not = "no response rule is configured"
    elif config.baseline_visit is None:
        why_not = "the cohort has no visit on day 0"
    else:
        try:
            calls = by_group(assess_response(facts, tables.patients, rule, withdrawal_day=left), tables)
        except NothingRecordedError as error:
            why_not = str(error)
    if not why_not and not (calls["n_recorded"] > 0).any():
        calls, why_not = calls.iloc[:0], "nothing the rule looks at was measured after baseline"
    return RuleCalls(
        facts=facts,
        rule=rule,
        calls=calls,
        clinician=clinician,
        why_not=why_not,
        **shared,  # type: ignore[arg-type]
    )


def describe_calls(
    found: RuleCalls, config: CohortConfig, store: StatisticsStore, *, confidence: float
) -> None:
    """Store CR, PR and NR by the rule, group and visit, with the overall response rate and its interval."""
    for group in found.groups:
        for visit in [visit for visit in config.visits if visit.day > 0]:
            mine = found.calls[(found.calls["group"] == group) & (found.calls["visit"] == visit.id)]
            counts = mine["response"].value_counts()
            n = int(sum(counts.get(name, 0) for name in CLASSES))
            common: dict[str, Any] = {
                "group": group,
                "timepoint": visit.id,
                "n": n,
                "n_missing": len(mine) - n,
            }
            for name in CLASSES:
                store.add(CALLS, "class", name.lower(), value=int(counts.get(name, 0)), unit="patients",
                          method="" if found.rule is None else found.rule.title, **common)  # fmt: skip
            dead = int((mine["reason"] == "died").sum())
            store.add(
                CALLS, "class", "dead", value=dead, unit="patients", method="dead by the visit", **common
            )
            responded = int(counts.get("CR", 0) + counts.get("PR", 0))
            _store_rate(CALLS, "overall", "rate", responded, store, confidence, common)


def _store_rate(
    analysis: str,
    variable: str,
    statistic: str,
    count: int,
    store: StatisticsStore,
    confidence: float,
    common: Mapping[str, Any],
) -> None:
    """Store a count and its share with the exact interval; `common` gives n, group and time point."""
    store.add(
        analysis, variable, f"{statistic}_count", value=count, unit="patients", method="count", **common
    )
    if common["n"]:
        store_share(store, analysis, variable, count, confidence=confidence, statistic=statistic, **common)


def describe_agreement(found: RuleCalls, store: StatisticsStore) -> pd.DataFrame:
    """Store how far the rule and the clinicians agree; return the discordant calls with what the rule saw.

    Calls are compared where both exist; patients already dead are called by neither, and are left out.
    """
    if found.calls.empty or found.clinician.empty:
        return pd.DataFrame()
    alive = found.calls[found.calls["reason"] != "died"]
    counts, summary, discordant = agreement_with_clinician(alive, found.clinician)
    for by_rule, row in counts.iterrows():
        for by_clinician, count in row.items():
            store.add(AGREEMENT, f"rule_{slug(by_rule)}", f"clinician_{slug(by_clinician)}", value=int(count),
                      n=int(counts.to_numpy().sum()), unit="calls", timepoint="all_visits",
                      method="calls of one patient at one visit")  # fmt: skip
    for line in summary.to_dict("records"):
        common: dict[str, Any] = {"timepoint": slug(line["visit"]), "n": int(line["n"])}
        common["n_missing"] = int(line["n_not_compared"])
        none = "" if line["n"] else "no call of rule and clinician to compare"
        alike = "" if line["kappa"] == line["kappa"] else none or "not defined: all calls are of one class"
        store.add(
            AGREEMENT, "calls", "agree", value=line["n_agree"], unit="calls", method="same class", **common
        )
        store.add(AGREEMENT, "calls", "agreement", value=100 * line["agreement"], unit="%",
                  method="same class", note=none, **common)  # fmt: skip
        store.add(
            AGREEMENT, "calls", "kappa", value=line["kappa"], method="Cohen's kappa", note=alike, **common
        )
        store.add(AGREEMENT, "calls", "kappa_linear", value=line["kappa_linear"],
                  method="Cohen's kappa, linear weights", note=alike, **common)  # fmt: skip
    return discordant


def discordant_evidence(found: RuleCalls, discordant: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons behind the rule's discordant calls, one row a marker, with value and source row.

    Columns of `helpers.clinical.engine.EVIDENCE_COLUMNS`; only comparisons with a value at the visit.
    """
    if discordant.empty or found.rule is None:
        return pd.DataFrame()
    wanted = pd.MultiIndex.from_frame(discordant[["patient_id", "visit"]])
    keys = pd.MultiIndex.from_frame(found.facts.keys[["patient_id", "visit"]])
    evidence = response_evidence(found.facts, found.rule, np.asarray(keys.isin(wanted)))
    change = evidence["label"].str.contains(": improved") & evidence["value"].notna()
    return evidence[change & evidence["rule"].str.contains("baseline")].reset_index(drop=True)


def describe_variants(
    found: RuleCalls,
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    confidence: float,
) -> list[str]:
    """Store the overall response rate by every variant of the rule and visit; return the variants' names.

    Beside the package's variants stands every response rule of the cohort's own ``criteria`` folder.
    """
    if found.calls.empty:
        return []
    variants = {label: (name, {**found.settings, **given}) for label, (name, given) in VARIANTS.items()}
    own = own_criteria(found.folder, ("response",))
    variants |= {name: (name, dict(found.settings)) for name in own}
    frame = by_group(
        compare_rules(
            found.facts, tables.patients, variants=variants, withdrawal_day=found.withdrawn,
            extra_directories=found.rules.folders, measures=found.rules.measures,
        ),
        tables,
    )  # fmt: skip
    for group in found.groups:
        for visit in [visit for visit in config.visits if visit.day > 0]:
            mine = frame[(frame["group"] == group) & (frame["visit"] == visit.id)]
            for label in variants:
                known = mine[label].isin(CLASSES)
                common: dict[str, Any] = {
                    "group": group, "timepoint": visit.id, "n": int(known.sum()),
                    "n_missing": int((~known).sum()), "note": label,
                }  # fmt: skip
                responded = int(mine[label].isin(["CR", "PR"]).sum())
                _store_rate(VARIANT, slug(label), "overall", responded, store, confidence, common)
                store.add(VARIANT, slug(label), "complete", value=int((mine[label] == "CR").sum()),
                          unit="patients", method="count", **common)  # fmt: skip
    return list(variants)


def _sources(
    found: RuleCalls, tables: AnalysisTables, config: CohortConfig, last: int
) -> dict[str, pd.DataFrame]:
    """Return the calls up to the last day by source; the clinicians' include those between the visits.

    A call of a visit planned by the last day counts on that day even if it was made a few days later,
    inside the visit's window.
    """
    sources = {}
    if len(tables.responses):
        calls = in_three_classes(tables.responses[tables.responses["day"] > 0], config)
        planned = [visit.id for visit in config.visits if visit.day <= last]
        late = (calls["day"] > last) & calls["visit"].isin(planned)
        sources[CLINICIAN] = calls.assign(day=calls["day"].mask(late, last))
    if len(found.calls):
        # A visit the rule calls NR because the patient has died is no assessment.
        sources[RULE] = found.calls[found.calls["reason"].isin(["rule", "withdrawn"])]
    return {name: calls[calls["day"] <= last] for name, calls in sources.items()}


def describe_endpoints(
    found: RuleCalls,
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    horizon_days: float,
    confidence: float,
) -> None:
    """Store best, confirmed and sustained response up to the horizon and the time to the first response.

    Each by the clinicians' calls and by the rule. Every patient of the group is in the denominator; death
    before a response competes with it.
    """
    last = int(horizon_days)
    for source, responses in _sources(found, tables, config, last).items():
        called = by_group(responses[["patient_id"]].drop_duplicates(), tables)["group"]
        for group in [group for group in config.group_ids if (called == group).any()]:
            patients = tables.patients[tables.patients["group"] == group].reset_index(drop=True)
            mine = responses[responses["patient_id"].isin(patients["patient_id"])]
            common: dict[str, Any] = {"group": group, "timepoint": f"day_{last}", "n": len(patients)}
            best = best_response(mine, patients)["response"]
            for name in CALLED:
                store.add(ENDPOINT, f"{source}_best", name.lower(), value=int((best == name).sum()),
                          unit="patients", method="best call up to the horizon", **common)  # fmt: skip
            _store_rate(ENDPOINT, f"{source}_best", "response", int(best.isin(["CR", "PR"]).sum()), store,
                        confidence, common)  # fmt: skip
            confirmed = int(confirmed_response(mine, patients)["confirmed"].sum())
            _store_rate(ENDPOINT, f"{source}_confirmed", "response", confirmed, store, confidence, common)
            status = sustained_response(mine, patients, horizon=last)["status"]
            held = int((status == "sustained").sum())
            _store_rate(ENDPOINT, f"{source}_sustained", "response", held, store, confidence, common)
            for name in ("lost", "died", "not confirmed", "never", "no calls"):
                store.add(ENDPOINT, f"{source}_sustained", slug(name), value=int((status == name).sum()),
                          unit="patients", method="what became of the first response", **common)  # fmt: skip
            _store_time(
                time_to_response(mine, patients, horizon=last), source, group, store, last, confidence
            )


def _store_time(
    times: pd.DataFrame, source: str, group: str, store: StatisticsStore, last: int, confidence: float
) -> None:
    curve = cumulative_incidence(times["time"], times["status"], cause=1, confidence=confidence)
    common: dict[str, Any] = {"group": group, "n": len(times)}
    for name, code in {"responded": 1, "died_first": 2}.items():
        store.add(TIME, source, name, value=int((times["status"] == code).sum()), unit="patients",
                  timepoint=f"day_{last}", method="first event", **common)  # fmt: skip
    first = times.loc[times["status"] == 1, "time"]
    if len(first):
        store.add(TIME, source, "median_day", value=float(first.median()), group=group, n=len(first),
                  unit="days", method="median over the responders")  # fmt: skip
    steps = curve.table[curve.table["n_event"] + curve.table["n_competing"] > 0]["time"]
    for day in sorted({int(day) for day in steps} | {last}):
        result = curve.at(day)
        store.add(TIME, source, "incidence", result=result, group=group, timepoint=f"day_{day}")
        dead = cumulative_incidence(times["time"], times["status"], cause=2, confidence=confidence).at(day)
        store.add(TIME, source, "died_incidence", result=dead, group=group, timepoint=f"day_{day}")
