"""What ``compendium explain`` prints about one patient."""

from helpers.errors import CompendiumError
from helpers.project.paths import CohortPaths, ProjectError, shown

DAYS_PER_WEEK = 7


class ExplanationError(CompendiumError):
    """The patient, the week or the cohort asked for is not there; the message says what there is."""


def explanation(cohort: str, patient_id: str, week: int | None = None) -> str:
    """Return in words why a patient was called what, with value, unit, day, rule and source row of each item.

    The raw tables are read afresh and nothing is written.

    Args:
        cohort: name under ``data/cohorts/`` or path to a cohort folder.
        patient_id: the patient, as written in the data.
        week: week of the only visit whose response and dose are explained; all visits by default.

    Raises:
        ExplanationError: the cohort cannot be read, or has no such patient or visit.
    """
    from helpers.analysis.explanation import explain_one
    from helpers.clinical.errors import ClinicalError
    from helpers.clinical.explain import as_text
    from helpers.cohort.cleaning import clean_cohort
    from helpers.cohort.config import load_config
    from helpers.cohort.problems import CohortError

    try:
        paths = CohortPaths.of(cohort)
        config, tables = load_config(paths.folder), clean_cohort(paths.folder)
    except (ProjectError, CohortError) as error:
        raise ExplanationError(str(error)) from None
    known = [str(patient) for patient in tables.patients["patient_id"]]
    if patient_id not in known:
        raise ExplanationError(_unknown(patient_id, known, shown(paths.folder)))
    visits = None
    if week is not None:
        visits = [visit.id for visit in config.visits if visit.day == DAYS_PER_WEEK * week]
        if not visits:
            planned = ", ".join(f"{visit.label} (day {visit.day})" for visit in config.visits)
            raise ExplanationError(f"No visit is planned for week {week}. Visits: {planned}.")
    try:
        explained = explain_one(tables, config, paths.folder, patient_id, visits=visits)
    except ClinicalError as error:
        raise ExplanationError(str(error)) from None
    group = config.group(str(tables.patients.set_index("patient_id").loc[patient_id, "group"]))
    head = [f"{patient_id}, {group.label}. {config.title}.", config.watermark]
    head.append(f"Rows are lines of the raw tables in {shown(paths.folder)} (the heading is line 1).")
    return "\n".join([*[line for line in head if line], "", as_text(explained)])


def _unknown(patient_id: str, known: list[str], folder: str) -> str:
    import difflib

    near = difflib.get_close_matches(patient_id, known, n=3, cutoff=0.5)
    hint = f" Near it: {', '.join(near)}." if near else ""
    return (
        f"No patient {patient_id!r} among the {len(known)} analysed of {folder}.{hint} "
        f"The first are {', '.join(known[:5])}."
    )
