"""``results/NAME/ro-crate-metadata.json``: what a run did, as a Process Run Crate that repositories read.

It says nothing that the record of provenance and the plan of the run do not say: each step is an action with
what it read, what it wrote and the notebook that did it, each file with its SHA-256. As there, no time, no
machine and no user: the same inputs give the same bytes. Specification: RO-Crate 1.1
(https://w3id.org/ro/crate/1.1) and Process Run Crate 0.5 (https://w3id.org/ro/wfrun/process/0.5).
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from helpers.project.paths import PROJECT_NAME
from helpers.results.files import write_whole
from helpers.run.inputs import ALWAYS_READ
from helpers.run.plan import PROVENANCE, Step, load_plan

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

    from helpers.cohort.settings import CohortConfig

CRATE = "ro-crate-metadata.json"
FIGURES, COHORT, PROJECT = "figures/", "cohort/", "project/"
_SPECIFICATION = "1.1"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_SPDX = "https://spdx.org/licenses/"
_NO_LICENSE = "No licence stated: ask those who made these results before you use them."
_PACKAGE = f"#{PROJECT_NAME}"
_FORMATS = {
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".tiff": "image/tiff",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def crate_step(folder: Path, results: Path) -> None:
    """Write the crate of a cohort's results, as the last step of a run.

    Args:
        folder: the cohort's folder.
        results: folder of the results, in which the record of provenance lies.
    """
    record = json.loads((results / PROVENANCE).read_text(encoding="utf-8"))
    write_whole(results / CRATE, crate_text(record, folder).encode())


def crate_text(record: Mapping[str, Any], folder: Path) -> str:
    """The file of a crate, made from a record of provenance and the settings of its cohort.

    Args:
        record: the record of provenance.
        folder: the cohort's folder.

    Raises:
        CohortError: the settings of the cohort are faulty.
        PlanError: the plan of the project cannot be followed.
    """
    from helpers.cohort.config import load_config

    crate = run_crate(record, load_plan(), load_config(folder))
    return json.dumps(crate.metadata.generate(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def run_crate(record: Mapping[str, Any], steps: Iterable[Step], config: CohortConfig) -> ROCrate:
    """The crate of a complete run.

    Args:
        record: the record of provenance.
        steps: the plan.
        config: settings of the cohort; title, licence, date and what its data are come from it.

    Returns:
        The crate; it has no file of its own yet. The record that the step was shown and that of the finished
        run give the same.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version=_SPECIFICATION)
    made = [step for step in steps if CRATE not in step.writes]
    _describe(crate, record, config)
    for place, digest in sorted(record["products"].items()):
        if place == CRATE:  # in the record of a finished run; it cannot hold its own digest
            continue
        _add_product(crate, place, digest)
    for place, digest in sorted(record["raw_data"].items()):
        _add(crate, f"#{COHORT}{place}", "CreativeWork", name=place, sha256=digest,
             description="Settings or raw data of the cohort. It is not in this folder.")  # fmt: skip
    for place, digest in sorted(record["project_files"].items()):
        _add(crate, f"#{PROJECT}{place}", "CreativeWork", name=place, sha256=digest,
             description="A file of the project. It is not in this folder.")  # fmt: skip
    _add_software(crate, record)
    for step in made:
        if any(place in record["products"] for place in step.writes):  # one without a plan writes nothing
            _add_action(crate, step, record)
    return crate


def identifier(place: str) -> str:
    """The ``@id`` of a product: its path in the folder, or ``#figures/...`` as figures lie beside it."""
    return f"#{place}" if place.startswith(FIGURES) else quote(place)


def _describe(crate: ROCrate, record: Mapping[str, Any], config: CohortConfig) -> None:
    root, name = crate.root_dataset, record["cohort"]
    root["name"] = f"{config.title} ({name})"
    told = (config.description, config.data_note, config.source)
    root["description"] = " ".join(part for part in told if part) or config.title
    root["conformsTo"] = _add(crate, _PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
    del root["datePublished"]  # the library takes the clock's
    if config.publication.day is not None:
        root["datePublished"] = config.publication.day.isoformat()
    stated = config.publication.license
    root["license"] = _add_license(crate, stated) if stated else _NO_LICENSE


def _add_license(crate: ROCrate, spdx: str) -> Any:
    place = f"{_SPDX}{quote(spdx)}"
    return crate.get(place) or _add(
        crate, place, "CreativeWork", name=spdx, description=f"SPDX licence identifier {spdx}."
    )


def _add_product(crate: ROCrate, place: str, digest: str) -> None:
    ending = Path(place).suffix
    known: dict[str, Any] = {"name": place, "sha256": digest}
    if ending in _FORMATS:
        known["encodingFormat"] = _FORMATS[ending]
    if place.startswith(FIGURES):
        said = "A figure. It lies in the folder of figures beside that of the results."
        _add(crate, identifier(place), "CreativeWork", description=said, **known)
    else:
        crate.add_file(dest_path=identifier(place), properties=known)


def _add_software(crate: ROCrate, record: Mapping[str, Any]) -> None:
    """The package, the notebooks and the libraries, in the versions that ran."""
    python = _add(crate, "https://www.python.org/", "SoftwareApplication", name="Python",
                  softwareVersion=record["python"], url="https://www.python.org/")  # fmt: skip
    libraries = [
        _add(crate, url, "SoftwareApplication", name=name, softwareVersion=installed, url=url)
        for name, installed in sorted(record["packages"].items())
        for url in [f"https://pypi.org/project/{quote(name)}/{quote(installed)}/"]
    ]
    _add(
        crate, _PACKAGE, "SoftwareApplication", name=PROJECT_NAME, softwareVersion=version(PROJECT_NAME),
        license=_add_license(crate, "MIT"), softwareRequirements=[python, *libraries],
        identifier=record["helpers"],
        description="The package that the notebooks call. The identifier is the digest of its source.",
    )  # fmt: skip
    for place, digest in sorted(record["notebooks"].items()):
        _add(
            crate, f"#{place}", "SoftwareSourceCode", name=Path(place).stem, version=version(PROJECT_NAME),
            programmingLanguage="Python", identifier=digest, isPartOf={"@id": _PACKAGE},
            description="A notebook as it was before the run. The identifier is the digest of its cells.",
        )  # fmt: skip


def _add_action(crate: ROCrate, step: Step, record: Mapping[str, Any]) -> None:
    source = f"#notebooks/{step.source.name}" if step.is_notebook else f"#{step.call}"
    if not step.is_notebook and crate.get(source) is None:
        _add(crate, source, "SoftwareSourceCode", name=step.call, version=version(PROJECT_NAME),
             programmingLanguage="Python", isPartOf={"@id": _PACKAGE})  # fmt: skip
    read = [{"@id": place} for place in _read(step, record)]
    values = [
        _add(crate, f"#{step.name}/{name}", "PropertyValue", name=name, value=_shown(value))
        for name, value in sorted(record["parameters"].get(step.name, {}).items())
    ]
    written = [{"@id": identifier(place)} for place in step.writes if place in record["products"]]
    action = _add(
        crate, f"#{step.name}", "CreateAction", name=step.name, instrument={"@id": source},
        description=f"{'Executed' if step.is_notebook else 'Called'} {source.removeprefix('#')}.",
        actionStatus="http://schema.org/CompletedActionStatus", object=_compact([*read, *values]),
        result=_compact(written),
    )  # fmt: skip
    crate.root_dataset.append_to("mentions", action)


def _read(step: Step, record: Mapping[str, Any]) -> Iterator[str]:
    """Identifiers of what a step read, each once."""
    given = {COHORT: record["raw_data"], PROJECT: record["project_files"]}
    found: dict[str, None] = {}
    for pattern in (*ALWAYS_READ, *step.reads):
        first, _, rest = pattern.partition("/")
        files = given.get(f"{first}/")
        if files is not None:
            rest = "*" if rest == "**/*" else rest
            found |= {f"#{first}/{place}": None for place in files if fnmatch.fnmatchcase(place, rest)}
        elif pattern in record["products"]:
            found[identifier(pattern)] = None
    yield from sorted(found)


def _compact(values: list[Any]) -> Any:
    """As JSON-LD has it, one value stands without a list."""
    return values[0] if len(values) == 1 else values


def _shown(value: Any) -> Any:
    """A parameter's value; what the notebook leaves to the cohort is said in words."""
    return "as cohort.toml says" if value is None else value


def _add(crate: ROCrate, place: str, kind: str, **known: Any) -> Any:
    from rocrate.model import ContextEntity

    return crate.add(ContextEntity(crate, place, properties={"@type": kind, **known}))
