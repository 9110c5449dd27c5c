"""The analysis plan of a cohort, frozen before its data come in, and what deviates from it afterwards.

``compendium freeze`` writes ``analysis_plan.json`` beside ``cohort.toml``. The plan is what decides the
numbers: settings, the cohort's own words and criteria, the parameters of the notebooks, and digests of
notebooks, package and lock. Comments, the order of keys and settings that only say how something is called,
laid out or read from the raw tables do not count, so that spellings of the data can be settled when they are
there.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.errors import CompendiumError
from helpers.problems import CohortError
from helpers.project.paths import PROJECT_NAME, CohortPaths
from helpers.project.raw_files import WORDS, is_prose
from helpers.project.sources import digest_value
from helpers.results.files import write_whole
from helpers.run.grid import variant_values
from helpers.run.inputs import declarations
from helpers.run.plan import PROVENANCE, load_plan
from helpers.run.provenance import Recorder

if TYPE_CHECKING:
    from helpers.cohort.settings import CohortConfig

FROZEN, DEVIATIONS = "analysis_plan.json", "plan_deviations.json"
PLAN_VERSION = 1
_PARTS = ("settings", "words", "criteria", "parameters", "code")
# Settings of how something is named, printed or read, not of what is analysed.
_ASIDE = {
    "title", "description", "provenance", "source", "data_note", "ledger", "compare_to", "report",
    "publication", "tables", "units", "variables", "unmapped_variables", "unmapped_drugs",
}  # fmt: skip
_NAMES = {"label", "short_label", "raw_labels"}
# Lists of sections whose order means something: the best level first, death first.
_ORDERED = {"response.level", "endpoint"}
_CRITERIA = "criteria/"
_NOT_PLANNED = "data/published/"


class FrozenPlanError(CompendiumError):
    """A plan cannot be frozen, or the file of a frozen one cannot be believed; the message says why."""


@dataclass(frozen=True)
class Deviation:
    """One thing that is not as it was planned.

    Attributes:
        setting: its name: a key of ``cohort.toml``, a word, a parameter or a file of code.
        frozen: value in the frozen plan; None if it says nothing of it.
        present: value now; None if there is none.
    """

    setting: str
    frozen: Any
    present: Any

    def __str__(self) -> str:
        return f"{self.setting}: frozen {shown(self.frozen)}, now {shown(self.present)}"


@dataclass(frozen=True)
class FrozenPlan:
    """A frozen plan.

    Attributes:
        digest: SHA-256 of all that the file says; what a team registers.
        parts: what was planned, by part and name.
        data: digest of the data that lay there when it was frozen; empty if there were none.
        former: digests of the plans that it replaced, the first one first.
    """

    digest: str
    parts: Mapping[str, Mapping[str, Any]]
    data: str
    former: tuple[str, ...]


def freeze(paths: CohortPaths, *, again: bool = False) -> FrozenPlan:
    """Write the plan of a cohort beside its settings; the data need not be there yet.

    Args:
        paths: the cohort.
        again: replace a plan that is frozen already; the former one is kept as ``analysis_plan_1.json``.

    Raises:
        FrozenPlanError: a plan is frozen already, or its file cannot be believed.
        CohortError: the settings are faulty.
    """
    target, former = paths.folder / FROZEN, list[str]()
    if target.exists():
        earlier = read_plan(paths.folder)
        if not again:
            raise FrozenPlanError(
                f"The plan of {paths.base} is frozen already, as {earlier.digest if earlier else ''}.",
                remedy="`compendium status` says what deviates; `--again` freezes anew and keeps the former.",
            )
        former = [*earlier.former, earlier.digest] if earlier else []
    record = present_record(paths)
    said = {
        "plan_version": PLAN_VERSION,
        "package": version(PROJECT_NAME),
        **present_parts(record, paths.folder),
        "data": data_digest(record),
        "former": former,
    }
    digest = digest_value(said)
    text = json.dumps({"digest": digest, **said}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if former:
        kept = paths.folder / f"{Path(FROZEN).stem}_{len(former)}.json"
        write_whole(kept, target.read_bytes())
    write_whole(target, text.encode())
    return _plan({"digest": digest, **said})


def read_plan(folder: Path) -> FrozenPlan | None:
    """The frozen plan of a cohort; None if none was frozen.

    Raises:
        FrozenPlanError: the file is no plan, or not as it was written.
    """
    path = folder / FROZEN
    if not path.is_file():
        return None
    remedy = "Put back the file as it was frozen, from the repository or registry that has it."
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        plan = _plan(stored)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FrozenPlanError(f"{path.name} is no frozen plan.", remedy=remedy) from None
    if digest_value({key: value for key, value in stored.items() if key != "digest"}) != plan.digest:
        raise FrozenPlanError(f"{path.name} was altered after it was frozen.", remedy=remedy)
    return plan


def _plan(stored: Mapping[str, Any]) -> FrozenPlan:
    parts = {part: dict(stored[part].items()) for part in _PARTS}
    return FrozenPlan(str(stored["digest"]), parts, str(stored["data"]), tuple(map(str, stored["former"])))


def present_record(paths: CohortPaths) -> dict[str, Any]:
    """The record that a run of the present files would show to the step that looks for deviations.

    Args:
        paths: the cohort, or a variant of it with its parameters.
    """
    steps = load_plan()
    declared = declarations(steps)
    parameters = variant_values(paths.variant) if paths.variant else {}
    step = next(step for step in steps if DEVIATIONS in step.writes)
    record: dict[str, Any] = json.loads(Recorder(paths, steps, parameters, declared).seen_by(step, {}))
    return record


def present_parts(record: Mapping[str, Any], folder: Path) -> dict[str, dict[str, Any]]:
    """What is planned now, by part and name, in the form in which it is compared.

    Args:
        record: parameters and digests of code, as the record of provenance has them.
        folder: the cohort's folder.

    Raises:
        CohortError: the settings are faulty.
    """
    from helpers.cohort.config import load_config

    files = {
        name: digest for name, digest in record["project_files"].items() if not name.startswith(_NOT_PLANNED)
    }
    return {
        "settings": dict(_settings(load_config(folder))),
        "words": dict(_words(folder)),
        "criteria": dict(_criteria(folder)),
        "parameters": {
            f"{notebook}: {name}": "as cohort.toml says" if value is None else value
            for notebook, values in record["parameters"].items()
            for name, value in values.items()
        },
        "code": {"the package": record["helpers"], **files, **record["notebooks"]},
    }


def deviations(frozen: FrozenPlan, present: Mapping[str, Mapping[str, Any]]) -> list[Deviation]:
    """What is not as it was planned: settings first, then words, criteria, parameters and code.

    Example:
        >>> plan = FrozenPlan("", {"settings": {"follow_up.horizon_days": 56}}, "", ())
        >>> print(*deviations(plan, {"settings": {"follow_up.horizon_days": 28}}))
        follow_up.horizon_days: frozen 56, now 28
    """
    found = []
    for part in _PARTS:
        before, now = frozen.parts.get(part, {}), present.get(part, {})
        names = sorted({*before, *now})
        found += [Deviation(n, before.get(n), now.get(n)) for n in names if before.get(n) != now.get(n)]
    return found


def data_digest(record: Mapping[str, Any]) -> str:
    """Digest of the raw data of a cohort; empty if there are only settings, words, criteria and texts."""
    data = {
        place: digest for place, digest in record["raw_data"].items()
        if not (place.endswith(".toml") or place in WORDS or is_prose(place))
    }  # fmt: skip
    return digest_value(data) if data else ""


def plan_step(folder: Path, results: Path) -> None:
    """Write ``plan_deviations.json`` where a plan is frozen, as a step of a run; else nothing.

    Args:
        folder: the cohort's folder.
        results: folder of the results, in which the record of provenance lies.
    """
    if (folder / FROZEN).is_file():
        record = json.loads((results / PROVENANCE).read_text(encoding="utf-8"))
        text = json.dumps(standing(folder, record), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        write_whole(results / DEVIATIONS, text.encode())


def standing(folder: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """How present settings and code stand to the frozen plan, as it is stored for readers.

    Args:
        folder: the cohort's folder, with a frozen plan.
        record: the record of provenance.

    Returns:
        ``digest``, ``data`` (``absent`` when it was frozen; ``same`` as now; ``other`` than now),
        ``data_digest``, ``former`` (how many plans it replaced) and ``deviations``; ``altered`` alone if the
        file cannot be believed.
    """
    try:
        plan = read_plan(folder)
    except FrozenPlanError:
        plan = None
    if plan is None:
        return {"altered": True}
    now = data_digest(record)
    return {
        "digest": plan.digest,
        "data": "absent" if not plan.data else "same" if plan.data == now else "other",
        "data_digest": plan.data,
        "former": len(plan.former),
        "deviations": [
            {"setting": one.setting, "frozen": shown(one.frozen), "present": shown(one.present)}
            for one in deviations(plan, present_parts(record, folder))
        ],
    }


def frozen_plan_status(paths: CohortPaths) -> list[str]:
    """How present settings and code stand to the frozen plan, in lines; none if no plan is frozen."""
    if not (paths.folder / FROZEN).is_file():
        return []
    try:
        return told(standing(paths.folder, present_record(paths)))
    except CohortError:
        return [f"{FROZEN}: the settings have errors, so that what deviates from the plan cannot be told"]


def told(found: Mapping[str, Any]) -> list[str]:
    """How results stand to the frozen plan, in lines for the command line."""
    if found.get("altered"):
        return [f"{FROZEN} is not as it was frozen: what deviates from the plan cannot be told"]
    when = {"absent": "before there were data", "same": "when the data were there already",
            "other": "when other data were there already"}[found["data"]]  # fmt: skip
    again = f", after {found['former']} former" if found["former"] else ""
    head = f"plan {found['digest'][:12]}, frozen {when}{again}: "
    if not found["deviations"]:
        return [f"{head}nothing deviates from it"]
    lines = [
        f"  {one['setting']}: frozen {one['frozen']}, now {one['present']}" for one in found["deviations"]
    ]
    return [f"{head}{len(lines)} deviation{'' if len(lines) == 1 else 's'}", *lines]


def stored_standing(results: Path) -> dict[str, Any]:
    """What the last run stored of it; empty if no plan is frozen or it cannot be read."""
    try:
        stored = json.loads((results / DEVIATIONS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return stored if isinstance(stored, dict) else {}


def shown(value: Any) -> str:
    """A value as readers see it: text as it is, all else as JSON; ``not stated`` for none."""
    if value is None or value == "":
        return "not stated"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _settings(config: CohortConfig) -> Iterator[tuple[str, Any]]:
    dumped = config.model_dump(mode="json", by_alias=True)
    for key, value in dumped.items():
        if key not in _ASIDE:
            yield from _flat(value, key)


def _flat(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    """A value by dotted keys; sections in a list by their id, or by their place if they have none."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in _NAMES:
                yield from _flat(inner, f"{key}.{name}")
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        names = [str(one.get("id", place)) for place, one in enumerate(value, start=1)]
        if key in _ORDERED:
            yield f"{key} (order)", names
        for name, one in zip(names, value, strict=True):
            yield from _flat({k: v for k, v in one.items() if k != "id"} or True, f"{key}.{name}")
    else:
        yield key, value


def _words(folder: Path) -> Iterator[tuple[str, str]]:
    """The cohort's own words, a row each; the order of rows and columns does not count."""
    for file in WORDS:
        path = folder / file
        if not path.is_file():
            continue
        rows: dict[str, list[str]] = {}
        for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")):
            fields = {name: value for name, value in row.items() if name and isinstance(value, str) and value}
            name = fields.get("name") or fields.get("variable") or ""
            rows.setdefault(name, []).append("; ".join(f"{k} = {v}" for k, v in sorted(fields.items())))
        yield from ((f"{file}: {name}", " | ".join(sorted(found))) for name, found in rows.items())


def _criteria(folder: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted((folder / _CRITERIA).glob("*.toml")):
        yield from _flat(tomllib.loads(path.read_text(encoding="utf-8-sig")), f"{_CRITERIA}{path.name}")
