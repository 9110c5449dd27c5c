"""``compendium new``: a cohort made of a hospital's files."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from helpers.commands.options import complain, counted
from helpers.project.paths import LONGEST_NAME, ProjectError, cohort_folder, project_root, shown

if TYPE_CHECKING:
    from helpers.intake.deliver import Delivery
    from helpers.intake.mapping import Question


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the cohort, or path to its folder.")],
    files: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="A file of the hospital; may be given repeatedly."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take what is certain, ask nothing, list what is open.")
    ] = False,
    answer: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Answer a question; may be given repeatedly."),
    ] = None,
    answers_file: Annotated[
        Path | None,
        typer.Option("--answers", metavar="FILE", dir_okay=False, help="Answers that mapping.html saved."),
    ] = None,
    template: Annotated[
        bool, typer.Option("--template", help="Put an empty workbook to fill in into the folder.")
    ] = False,
) -> None:
    """Make a cohort of a hospital's files, or look again at files that have changed.

    The files are looked at, and it is proposed what they are: tables, patients, groups, days, variables,
    units, codes. What is not certain is asked. The files themselves stay as they are; what they are taken
    for stands in mapping.toml, which may be changed by hand and is replayed at each check and run. The exit
    status is 1 while a question is open or anything must be mended.
    """
    folder = _folder(name)
    if template:
        from helpers.intake.template import write_template

        folder.mkdir(parents=True, exist_ok=True)
        write_template(folder / "template.xlsx")
        typer.echo(f"Fill in {shown(folder / 'template.xlsx')}, then: compendium new {name} --from that file")
        return
    from helpers.intake.deliver import deliver

    answers = {**_saved(answers_file), **_answers(answer or [])}
    _keep_statistics(folder)
    delivery = deliver(folder, files or [], answers)
    if delivery.mapping.questions and not yes and sys.stdin.isatty():
        told = {question.key: _prompted(question) for question in delivery.mapping.questions}
        delivery = deliver(folder, [], {**answers, **told})
    _tell(delivery, folder, name)
    if delivery.mapping.questions or any(problem.severity == "error" for problem in delivery.problems):
        raise typer.Exit(1)


def _saved(file: Path | None) -> dict[str, str]:
    """Return the answers that the page of the mapping saved."""
    if file is None:
        return {}
    from helpers.intake.page import read_answers

    try:
        return read_answers(file)
    except (OSError, ValueError):
        raise typer.BadParameter(
            f"{file} is no file that mapping.html saved", param_hint="--answers"
        ) from None


def _keep_statistics(folder: Path) -> None:
    """Keep what was computed of the data before, so that it can be told what changed."""
    if folder.is_dir():
        from helpers.project.paths import CohortPaths
        from helpers.run.changes import keep

        keep(CohortPaths.of(folder))


def _folder(name: str) -> Path:
    """Return the folder of a cohort, which need not be there yet."""
    try:
        return cohort_folder(name)
    except ProjectError:
        given = Path(name).expanduser()
        plain = given.name.replace("_", "").replace("-", "").replace(".", "")
        if not plain.isascii() or not plain.isalnum() or len(given.name) > LONGEST_NAME:
            text = f"{given.name!r} cannot be the name of a cohort: results are filed under it."
            raise ProjectError(text, remedy="Use letters, digits, '_' and '-'.") from None
        is_path = len(given.parts) > 1
        return given.absolute() if is_path else project_root() / "data" / "cohorts" / name


def _answers(pairs: list[str]) -> dict[str, str]:
    parts = [pair.partition("=") for pair in pairs]
    if wrong := [key for key, sign, _ in parts if not sign]:
        raise typer.BadParameter(f"{wrong[0]!r}: write KEY=VALUE", param_hint="--answer")
    return {key.strip(): value.strip() for key, _, value in parts}


def _prompted(question: "Question") -> str:
    typer.echo("")
    if question.evidence:
        typer.echo(f"  {question.evidence}")
    if question.options:
        typer.echo(f"  one of: {', '.join(question.options)}")
    return str(typer.prompt(question.text, default=question.proposed or None))


def _tell(delivery: "Delivery", folder: Path, name: str) -> None:
    """Say what the files were taken for, what was left out, what is open and what comes next."""
    from helpers.intake.summary import told

    for line in told(delivery):
        typer.echo(line)
    from helpers.problems import fold_by_cause

    open_keys = {question.key for question in delivery.mapping.questions}
    for problem in fold_by_cause(p for p in delivery.problems if p.column not in open_keys):
        complain(str(problem))
    for question in delivery.mapping.questions:
        options = f" ({', '.join(question.options[:8])})" if question.options else ""
        complain(f"open: {question.text}{options}")
        complain(f"      --answer '{question.key}={question.proposed or '...'}'")
    if delivery.mapping.questions:
        number = counted(len(delivery.mapping.questions), "question")
        complain(
            f"{shown(folder)}: {number} open; answer with --answer, or in {shown(folder / 'mapping.html')}"
        )
    elif delivery.rows:
        typer.echo(f"Next: compendium check {name}; then compendium run {name}")
