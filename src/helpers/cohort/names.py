"""Settings of `cohort.toml` that name a variable, drug, category or column: each must be known.

>>> dotted(("group", 0, "role")), dotted(("follow_up", "horizon_days"))
('group[1].role', 'follow_up.horizon_days')
>>> unknown_names(config, lambda key: None)
[]
"""

from collections.abc import Callable, Iterable

from helpers.cohort.installed import journal_names, language_names, language_tags, missing_phrases
from helpers.cohort.settings import CohortConfig
from helpers.problems import Problem, closest
from helpers.vocabulary.model import DRUG_CLASSES
from helpers.vocabulary.vocabulary import Vocabulary

FILE = "cohort.toml"

# Rows of the baseline table that are derived and so have no row in the vocabulary; also every prior_<drug>.
DEATH = "death"
DERIVED_BASELINE = (DEATH, "glucocorticoid_week_before", "glucocorticoid_week_before_per_kg")
PRIOR = "prior_"

Loc = tuple[str | int, ...]
LineOf = Callable[[Loc], int | None]


def dotted(loc: Loc) -> str:
    """Return a location as a key in words: ("group", 0, "role") is `group[1].role` (counted from 1)."""
    text = ""
    for part in loc:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def unknown_names(config: CohortConfig, line_of: LineOf) -> list[Problem]:
    """Return a Problem for every setting that names something the cohort's vocabulary does not have.

    Args:
        config: settings with the cohort's vocabulary.
        line_of: line of a key in the file, None if it has none of its own.
    """
    vocabulary = config.vocabulary
    problems = [
        _unknown(loc, name, known, line_of)
        for loc, name, known in _named(config, vocabulary)
        if name not in known and not _derived(loc, name)
    ]
    if config.report.language in language_names():
        problems += missing_phrases(config.report.language)
    for name, unit in config.units.items():
        if name in vocabulary and vocabulary[name].conversion(unit) is None:
            expected = vocabulary[name].accepted_units() or "no unit"
            remedy = "correct it, or declare the unit with its factor in variables.csv"
            line = line_of(("units", name))
            problems.append(Problem(FILE, line, f"units.{name}", repr(unit), expected, remedy))
    return problems


def _named(config: CohortConfig, vocabulary: Vocabulary) -> Iterable[tuple[Loc, str, tuple[str, ...]]]:
    """Where a setting names something, what it names, and what it may name."""
    measured, columns = vocabulary.measured, vocabulary.columns("patients")
    numbers = tuple(v.name for v in vocabulary.variables.values() if v.type == "number")
    categories = tuple(v.name for v in vocabulary.variables.values() if v.type == "category")
    keyed: list[tuple[str, Iterable[str], tuple[str, ...]]] = [
        ("units", config.units, (*measured, *columns)),
        ("missing_codes", config.missing_codes, ("*", *vocabulary.variables)),
        ("reporting_limits", config.reporting_limits, measured),
        ("reference_ranges", config.reference_ranges, numbers),
        ("categories", config.categories, categories),
    ]
    for section, names, known in keyed:
        yield from (((section, name), name, known) for name in names)
    yield from ((("variables", raw), name, measured) for raw, name in config.variables.items())
    both = (*columns, *measured)
    yield from ((("baseline", "variables"), name, both) for name in config.baseline.variables or ())
    yield from ((("baseline", "weighting"), name, both) for name in config.baseline.weighting or ())
    yield ("report", "journal"), config.report.journal, journal_names()
    yield ("report", "language"), config.report.language, language_tags()
    for place, family in enumerate(config.visit_comparisons):
        loc = ("visit_comparison", place, "variables")
        yield from ((loc, name, measured) for name in family.variables)
    yield ("steroids", "spared"), config.steroids.spared, (*DRUG_CLASSES, *vocabulary.drugs)
    yield from ((("course", "variables"), name, measured) for name in config.course.variables)
    days, signs = (
        tuple(v.name for v in vocabulary.of_table("patients") if v.type == kind) for kind in ("day", "yes_no")
    )
    levels = tuple(level.id for level in config.response_levels)
    for place, endpoint in enumerate(config.endpoints):
        for key, known in (("day", days), ("yes_no", signs), ("level", levels)):
            if getattr(endpoint, key):
                yield ("endpoint", place, key), getattr(endpoint, key), known
    yield from ((("implausible", "confirmed"), name, measured) for name in config.implausible.confirmed)
    for table, setting in config.tables.items():
        allowed = vocabulary.columns(table)
        yield from ((("tables", table, "columns", name), name, allowed) for name in setting.columns)


def _derived(loc: Loc, name: str) -> bool:
    if loc == ("baseline", "weighting") and name == DEATH:
        return False  # the outcome is nothing to weight for
    return loc[0] == "baseline" and (name.startswith(PRIOR) or name in DERIVED_BASELINE)


def _unknown(loc: Loc, name: str, known: tuple[str, ...], line_of: LineOf) -> Problem:
    near = closest(name, known)
    remedy = f"did you mean {near!r}?" if near else "see data/README.md for the names"
    if loc[0] in ("variables", "baseline", "course", "endpoint", "visit_comparison"):
        remedy += "; a variable of your own goes into variables.csv"
    if loc[0] == "report":
        remedy = f"did you mean {near!r}?" if near else "choose one of these"
        return Problem(FILE, line_of(loc), dotted(loc), repr(name), f"one of {', '.join(known)}", remedy)
    if loc == ("steroids", "spared"):
        remedy += "; a drug of your own goes into drugs.csv"
    expected = "a name of the vocabulary"
    return Problem(FILE, line_of(loc), dotted(loc), repr(name), expected, remedy)
