"""``compendium explain``: why a patient was called what."""

import difflib
from typing import Annotated

import typer

from helpers.commands.options import COHORT_HELP
from helpers.errors import CompendiumError
from helpers.project.paths import CohortPaths, shown

DAYS_PER_WEEK = 7


class ExplanationError(CompendiumError):
    """The patient or the week asked for is not there; the message says what there is."""


def explain(
    cohort: Annotated[str, typer.Argument(metavar="COHORT", help=COHORT_HELP)],
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="Patient as written in the data.")],
    week: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Explain the response and dose of this week's visit only.",
            show_default="every visit",
        ),
    ] = None,
) -> None:
    """Say why a patient meets the criteria, is refractory and is called a responder.

    Every item is printed with its rule, the value with unit and day, and the line of the raw table that it
    comes from. Nothing is written. The exit status is 1 if there is no such cohort, patient or visit.
    """
    typer.echo(explanation(cohort, patient, week), nl=False)


def explanation(cohort: str, patient_id: str, week: int | None = None) -> str:
    """Return in words why a patient was called what, with value, unit, day, rule and source row of each item.

    The raw tables are read afresh and nothing is written.

    Args:
        cohort: name under ``data/cohorts/`` or path to a cohort folder.
        patient_id: the patient, as written in the data.
        week: week of the only visit whose response and dose are explained; all visits by default.

    Raises:
        ProjectError: there is no such cohort.
        CohortError: it cannot be read.
        ExplanationError: it has no such patient or visit.
    """
    from helpers.analysis.explanation import explain_one
    from helpers.clinical.explain import as_text
    from helpers.cohort.cleaning import clean_cohort
    from helpers.cohort.config import load_config

    paths = CohortPaths.of(cohort)
    config, tables = load_config(paths.folder), clean_cohort(paths.folder)
    known = [str(patient) for patient in tables.patients["patient_id"]]
    if patient_id not in known:
        raise ExplanationError(_unknown(patient_id, known, shown(paths.folder)))
    visits = None
    if week is not None:
        visits = [visit.id for visit in config.visits if visit.day == DAYS_PER_WEEK * week]
        if not visits:
            planned = ", ".join(f"{visit.label} (day {visit.day})" for visit in config.visits)
            raise ExplanationError(f"No visit is planned for week {week}. Visits: {planned}.")
    explained = explain_one(tables, config, paths.folder, patient_id, visits=visits)
    group = config.group(str(tables.patients.set_index("patient_id").loc[patient_id, "group"]))
    head = [f"{patient_id}, {group.label}. {config.title}.", config.watermark]
    head.append(f"Rows are lines of the raw tables in {shown(paths.folder)} (the heading is line 1).")
    return "\n".join([*[line for line in head if line], "", as_text(explained)])


def _unknown(patient_id: str, known: list[str], folder: str) -> str:
    near = difflib.get_close_matches(patient_id, known, n=3, cutoff=0.5)
    hint = f" Near it: {', '.join(near)}." if near else ""
    return (
        f"No patient {patient_id!r} among the {len(known)} analysed of {folder}.{hint} "
        f"The first are {', '.join(known[:5])}."
    )
