"""What the clinical rules are evaluated on: known values, and the rules of the package and of the cohort.

>>> rules = Rulebook.of(config, None)
>>> (
...     rules.criteria_set("hlh_2004").title,
...     rules.response("paper").name,
...     rules.toxicity("ctcae_v5").name,
... )
('HLH-2004 diagnostic criteria', 'response_paper', 'ctcae_v5')
>>> (
...     rules.criteria("hscore").name,
...     rules.response_name("paper"),
...     title_of("hscore", rules),
...     works_of("hscore", rules),
... )
('hscore', 'response_paper', 'HScore for reactive haemophagocytic syndrome', ('fardet2014',))
>>> len(clinical_facts(tables, config).keys), onset_facts(tables, config) is None
(205, False)
>>> own_folders(folder), own_criteria(folder, ("criteria",)), criteria_problems(config, folder)
([], [], [])
>>> diagnostic_names(config, folder)[0]
'hlh_2004'
>>> by_group(tables.patients[["patient_id"]], tables)["group"].nunique()
2
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.clinical.criteria_files import Directory, available_criteria, criteria_kinds, find_criteria
from helpers.clinical.definitions import Criteria, Score, load_criteria, load_set
from helpers.clinical.errors import ClinicalError, CriteriaError, Fault
from helpers.clinical.fact_tables import facts_from_measurements, facts_from_visits
from helpers.clinical.measures import Measures
from helpers.clinical.response_rules import ResponseRule, load_response_rule
from helpers.clinical.toxicity import ToxicityScale, load_toxicity_scale
from helpers.problems import Problem, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd

    from helpers.clinical.facts import Facts
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig

CRITERIA_FOLDER = "criteria"
DAY0, ONSET = "baseline", "mas_onset"


@dataclass(frozen=True)
class Rulebook:
    """The rules that a cohort can apply: those of the package and of its own folder, in its vocabulary.

    Attributes:
        folders: the cohort's own folder of criteria files; none if it has none.
        measures: the variables that rules may name.
    """

    folders: tuple[Directory, ...]
    measures: Measures

    @classmethod
    def of(cls, config: CohortConfig, folder: Path | None) -> Rulebook:
        """Return the rules of the cohort in `folder`; those of the package alone without one."""
        own = () if folder is None else tuple(own_folders(folder))
        return cls(own, Measures(config.vocabulary))

    def criteria(self, name: str) -> Criteria | Score:
        """Load a criteria set or score."""
        return load_criteria(name, extra_directories=self.folders, measures=self.measures)

    def criteria_set(self, name: str) -> Criteria:
        """Load a criteria set; ClinicalError if the file holds a score."""
        return load_set(name, extra_directories=self.folders, measures=self.measures)

    def response(self, name: str, settings: Mapping[str, Any] | None = None) -> ResponseRule:
        """Load a response rule; ``paper`` stands for ``response_paper``."""
        return load_response_rule(
            self.response_name(name),
            extra_directories=self.folders,
            settings=settings,
            measures=self.measures,
        )

    def toxicity(self, name: str) -> ToxicityScale:
        """Load a toxicity scale."""
        return load_toxicity_scale(name, extra_directories=self.folders, measures=self.measures)

    def response_name(self, name: str) -> str:
        """Return the file name of a response rule as a cohort may call it."""
        full = f"response_{name}"
        return full if full in available_criteria(self.folders) else name


def clinical_facts(tables: AnalysisTables, config: CohortConfig) -> Facts:
    """Return what is known of every patient at every planned visit, with the limits of normal.

    A cohort without a visit on day 0 has no baseline: rules that look back to it then stay undecided.
    """
    first = config.baseline_visit
    return facts_from_visits(
        tables.visits,
        tables.patients,
        baseline_visit=first.id if first else "",
        visit_days={visit.id: visit.day for visit in config.visits},
        ranges=config.vocabulary.ranges,
    )


def onset_facts(tables: AnalysisTables, config: CohortConfig) -> Facts | None:
    """Return what is known of every patient when MAS was diagnosed; None where no day of it is recorded.

    Each value is the one measured nearest to that day inside the window of the cohort's settings, the earlier
    of two as near. Findings recorded for the patient without a date count here as they do on day 0.
    """
    patients = tables.patients
    if "mas_onset_day" not in patients or patients["mas_onset_day"].isna().all():
        return None
    known = patients[patients["mas_onset_day"].notna()]
    keys = known[["patient_id"]].assign(day=known["mas_onset_day"].astype(int)).reset_index(drop=True)
    return facts_from_measurements(
        tables.measurements, keys, patients, window=config.criteria.onset_window,
        ranges=config.vocabulary.ranges,
    )  # fmt: skip


def own_folders(folder: Path) -> list[Path]:
    """Return the site's own folder of criteria files as a list: empty where the cohort has none."""
    own = Path(folder) / CRITERIA_FOLDER
    return [own] if own.is_dir() else []


def own_criteria(folder: Path, kinds: tuple[str, ...]) -> list[str]:
    """Return the names of the criteria files of these kinds in the cohort's own folder, in order of name.

    Args:
        folder: the cohort's folder; its criteria files are ``criteria/NAME.toml``.
        kinds: ``criteria``, ``score``, ``response`` or ``toxicity``.

    Raises:
        ClinicalError: a file there is not TOML.
    """
    names = []
    for path in _own_files(folder):
        try:
            kind = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("kind")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CriteriaError([_unreadable(path, error)]) from None
        if kind in kinds:
            names.append(path.stem)
    return names


def diagnostic_names(config: CohortConfig, folder: Path) -> list[str]:
    """Return the diagnostic criteria: the configured ones, then those of the cohort's own folder.

    A file of its own that the settings name for another purpose, or that leans on doses or on verdicts of
    other criteria, makes no diagnosis.
    """
    rules, chosen = Rulebook.of(config, folder), config.criteria
    others = {chosen.refractoriness, chosen.eligibility, chosen.severity}
    own = [name for name in own_criteria(folder, ("criteria", "score")) if name not in others]
    loaded = {name: rules.criteria(name) for name in own}
    leaning = {
        name for name, one in loaded.items() if isinstance(one, Criteria) and (one.runs or one.verdicts)
    }
    return list(dict.fromkeys((*chosen.diagnosis, *(name for name in own if name not in leaning))))


def _own_files(folder: Path) -> list[Path]:
    return sorted(path for own in own_folders(folder) for path in own.glob("*.toml"))


def _unreadable(path: Path, error: Exception) -> Fault:
    what = "text that is not TOML" if isinstance(error, tomllib.TOMLDecodeError) else "another encoding"
    return Fault(f"{CRITERIA_FOLDER}/{path.name}", "", f"{what} ({error})", "a criteria file", "mend it")


def criteria_problems(config: CohortConfig, folder: Path) -> list[Problem]:
    """Return the faults of the criteria that a cohort applies, and of every criteria file of its own.

    Args:
        config: the cohort's settings, which name the criteria.
        folder: the cohort's folder.

    Returns:
        One `Problem` a fault: the file, the key as its column, what was found and expected, how to mend it.
    """
    rules = Rulebook.of(config, folder)
    kinds = criteria_kinds(rules.folders)
    problems = []
    checked = set()
    for key, name, wanted in _named(config, rules):
        checked.add(name)
        if kinds.get(name) not in wanted:
            known = [one for one, kind in kinds.items() if kind in wanted]
            shorter = [one.removeprefix("response_") for one in known]
            remedy = suggestion(name, [*known, *shorter]) or "write one of them, or leave it out"
            expected = f"one of {', '.join(known)}"
            problems.append(Problem("cohort.toml", None, f"criteria.{key}", repr(name), expected, remedy))
        else:
            problems += _faults_of(name, kinds[name], rules)
    for path in _own_files(folder):
        if path.stem not in checked:
            problems += _faults_of(path.stem, kinds.get(path.stem, ""), rules)
    return problems


def _named(config: CohortConfig, rules: Rulebook) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the key, the name and the possible kinds of every criteria file that the settings name."""
    chosen = config.criteria
    for name in chosen.diagnosis:
        yield "diagnosis", name, ("criteria", "score")
    for key in ("refractoriness", "eligibility", "severity"):
        if getattr(chosen, key):
            yield key, getattr(chosen, key), ("criteria",)
    if chosen.response:
        yield "response", rules.response_name(chosen.response), ("response",)
    for key in ("toxicity", "toxicity_beside"):
        if getattr(chosen, key):
            yield key, getattr(chosen, key), ("toxicity",)


def _faults_of(name: str, kind: str, rules: Rulebook) -> list[Problem]:
    loaders: dict[str, Callable[[str], object]] = {
        "response": rules.response, "toxicity": rules.toxicity,
    }  # fmt: skip
    try:
        loaded = loaders.get(kind, rules.criteria)(name)
    except CriteriaError as error:
        return [_problem(fault) for fault in error.faults]
    except ClinicalError as error:
        return [Problem(f"{CRITERIA_FOLDER}/{name}.toml", None, "", str(error), "one such file", "mend it")]
    known = set(available_criteria(rules.folders))
    return [
        Problem(
            f"{CRITERIA_FOLDER}/{name}.toml", None, f"verdicts.{variable}", repr(other),
            f"one of {', '.join(sorted(known))}", suggestion(other, known) or "name a criteria file",
        )
        for variable, of in getattr(loaded, "verdicts", {}).items() for other in of if other not in known
    ]  # fmt: skip


def _problem(fault: Fault) -> Problem:
    """Return a fault of a criteria file as `check` lists it."""
    file = f"{CRITERIA_FOLDER}/{Path(fault.file).name}"
    remedy = fault.remedy or "mend it; docs/clinical_rules.md has the keys"
    return Problem(file, None, fault.key, fault.found, fault.expected, remedy)


def title_of(name: str, rules: Rulebook) -> str:
    """Return the title of a criteria file; its name if it cannot be read."""
    return str(_read_criteria(name, rules).get("title", name))


def works_of(name: str, rules: Rulebook) -> tuple[str, ...]:
    """Return the keys of the works that a criteria file names as its source; none if it cannot be read."""
    return tuple(_read_criteria(name, rules).get("cite", ()))


def _read_criteria(name: str, rules: Rulebook) -> dict[str, Any]:
    try:
        return tomllib.loads(find_criteria(name, rules.folders)[1])
    except (ClinicalError, tomllib.TOMLDecodeError):
        return {}


def by_group(frame: pd.DataFrame, tables: AnalysisTables) -> pd.DataFrame:
    """Add each patient's group to a frame with a column patient_id."""
    groups = tables.patients.set_index("patient_id")["group"]
    return frame.assign(group=frame["patient_id"].map(groups))
