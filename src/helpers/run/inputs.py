"""What a step depends on that is fixed before a run starts, by content: code, parameters and files.

>>> from helpers.project.paths import CohortPaths
>>> from helpers.run.plan import load_plan
>>> paths, step = CohortPaths.of("rdmas_reconstructed"), load_plan()[0]
>>> cohort_argument(paths), raw_names(paths)[0], sorted(code_digests([step])[step.name])[0][:7]
('rdmas_reconstructed', 'cohort.toml', 'helpers')
>>> values = values_of([step], paths, {}, {step.name: {"cohort": "rdmas_reconstructed"}})
>>> values[step.name], list(input_files(step, paths))[:1]
({}, ['cohort/cohort.toml'])
>>> len(input_digests([step], paths, values, code_digests([step]))[step.name]) > 3
True
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from helpers.project.paths import CohortPaths, project_root, shown
from helpers.project.raw_files import WORDS, is_prose, raw_files
from helpers.project.sources import (
    digest_file,
    digest_value,
    files_matching,
    notebook_code_digest,
    notebook_digest,
    notebook_modules,
)
from helpers.run.code_digests import modules_digest
from helpers.run.parameters import COHORT, declared_parameters, injected
from helpers.run.plan import PARAMETERS, Step

# Every step opens the cohort's settings and its own words, and runs with the locked packages; the project's
# words belong to the code that opens them.
ALWAYS_READ = (
    "cohort/cohort.toml",
    *(f"cohort/{name}" for name in WORDS),
    "project/uv.lock",
)
TABLES_MARK = "data/inputs.json"  # says what the analysis tables were derived from
TEXT = "text"  # of a notebook: its Markdown and comments too, which compute nothing
EXECUTION = ("helpers.kernels.execute", "helpers.run.steps")

InputDigests = Mapping[str, Mapping[str, str]]
"""By step: what is given, and its digest."""

Values = Mapping[str, Mapping[str, Any]]
"""By step: what is put into its notebook."""


def declarations(steps: Iterable[Step]) -> dict[str, dict[str, Any]]:
    """Parameters that each notebook declares, by its name."""
    return {step.name: declared_parameters(step.source) for step in steps if step.is_notebook}


def values_of(
    steps: Iterable[Step],
    cohort: CohortPaths,
    parameters: Mapping[str, Any],
    declared: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """What is put into each notebook, and what each call is told of the parameters of all notebooks.

    Args:
        steps: the plan.
        cohort: the cohort.
        parameters: parameters of the run.
        declared: parameters that each notebook declares, by its name.
    """
    argument = cohort_argument(cohort)
    everywhere = {
        name: parameters.get(name, own)
        for notebook in sorted(declared, reverse=True)  # the first one's own value holds
        for name, own in declared[notebook].items()
        if name != COHORT
    }
    return {
        step.name: everywhere
        if PARAMETERS in step.arguments.values()
        else injected(parameters, declared.get(step.name, {}), argument)
        for step in steps
    }


def code_digests(steps: Iterable[Step]) -> dict[str, dict[str, str]]:
    """By step: digests of its notebook or call, and of the modules that it imports."""
    return {step.name: _code(step) for step in steps}


def input_digests(
    steps: Iterable[Step], cohort: CohortPaths, values: Values, code: InputDigests
) -> dict[str, dict[str, str]]:
    """By step: digests of all that is fixed before the run starts.

    Args:
        steps: the plan.
        cohort: the cohort.
        values: as :func:`values_of` gives them.
        code: as :func:`code_digests` gives them.
    """
    # Which tables a cohort has decides what can be analysed, even where they are empty.
    names = {"files of the cohort": digest_value(raw_names(cohort))}
    return {
        step.name: {
            **code[step.name],
            "parameters": digest_value(values[step.name]),
            **_files(step, cohort),
            **names,
        }
        for step in steps
    }


def cohort_argument(cohort: CohortPaths) -> str:
    """The cohort as told to a notebook: its name, or for a folder elsewhere its path; ``@VARIANT`` if any."""
    embedded = project_root() / "data" / "cohorts" / cohort.base
    told = cohort.base if cohort.folder == embedded.resolve() else shown(cohort.folder)
    return f"{told}@{cohort.variant}" if cohort.variant else told


def raw_names(cohort: CohortPaths) -> list[str]:
    """Names of the files that a cohort's analysis may read."""
    return [name for name in raw_files(cohort.folder) if not is_prose(name)]


def _code(step: Step) -> dict[str, str]:
    modules = set(EXECUTION)
    if step.call is None:
        modules |= notebook_modules(step.source)
        modules |= _behind_the_tables() if TABLES_MARK in step.writes else set()
        source, text = notebook_code_digest(step.source), {TEXT: notebook_digest(step.source)}
    else:
        modules.add(step.call.partition(":")[0])
        source, text = digest_value([step.call, dict(step.arguments)]), {}
    return {"source": source, "helpers": modules_digest(modules), **text}


def _behind_the_tables() -> set[str]:
    """All modules whose code the digest of the analysis tables holds, imported or not.

    Another step would otherwise find the tables older than that code and derive them itself.
    """
    package = Path(__file__).parents[1]
    rooms = ("cohort", "vocabulary")
    return {f"helpers.{room}.{path.stem}" for room in rooms for path in (package / room).glob("*.py")}


def input_files(step: Step, cohort: CohortPaths) -> dict[str, dict[str, Path]]:
    """By pattern that the step declares: files that no step writes, by their place in cohort or project."""
    roots = {"cohort": cohort.folder, "project": project_root()}
    found = {}
    for pattern in dict.fromkeys((*ALWAYS_READ, *step.reads)):
        first, _, rest = pattern.partition("/")
        if root := roots.get(first):
            files = {path.relative_to(root).as_posix(): path for path in files_matching(root, rest)}
            wanted = files if rest != "**/*" else [name for name in raw_names(cohort) if name in files]
            found[pattern] = {name: files[name] for name in wanted}
    return found


def _files(step: Step, cohort: CohortPaths) -> dict[str, str]:
    return {
        pattern: digest_value([[place, digest_file(path)] for place, path in files.items()])
        for pattern, files in input_files(step, cohort).items()
    }
