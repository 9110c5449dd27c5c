"""Results replace their predecessors only when their step has succeeded, and then all at once.

A step writes to a stage: a folder laid out like the output folder, in which links stand for what the step
reads. When it has succeeded its products are moved to where they are published. A process killed while it
moves leaves a list of the moves in the stage; the next run carries out those that are left, and drops every
other stage.

>>> from helpers.project.paths import CohortPaths
>>> from helpers.run.plan import load_plan
>>> paths, step = CohortPaths.of("rdmas_reconstructed"), load_plan()[0]
>>> (
...     failed_notebook(step, paths).suffix,
...     record_seen_by(step, paths).suffix,
...     linked_folders(paths),
...     half_published(),
... )
('.ipynb', '.json', [], set())
"""

import contextlib
import errno
import itertools
import json
import os
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from helpers.project.paths import CohortPaths, output_root, state_dir
from helpers.results.files import sweep_unfinished, write_whole
from helpers.run.plan import PLAN_FILE, PROVENANCE, Step, locate

_MOVES = "moves.json"
_KEPT = ("state", "checked", "pages")
# All analysis tables belong together: a reader of one looks whether they follow from the present raw data.
_TOGETHER = "data/*"


class UndeclaredOutputError(Exception):
    """A step wrote a file that the plan does not name; the message says which and what to do."""


@dataclass(frozen=True)
class Stage:
    """A folder that a step takes for the output folder.

    Attributes:
        root: the folder.
        published: the cohort's folders as published.
    """

    root: Path
    published: CohortPaths

    @property
    def paths(self) -> CohortPaths:
        """The cohort's folders inside the stage."""
        name = self.published.name
        return CohortPaths(
            name,
            self.published.folder,
            self.root / "results" / name,
            self.root / "figures" / name,
            self.published.variant,
        )

    def furnish(self, step: Step) -> None:
        """Link what the step reads, and make the folders that it writes to."""
        own = set(step.writes)
        read = [path for path in step.reads if not path.startswith(("cohort/", "project/"))]
        shared = self.published.results.glob(_TOGETHER)
        read += [path.relative_to(self.published.results).as_posix() for path in shared if path.is_file()]
        sources = {declared: locate(declared, self.published) for declared in sorted(set(read) - own)}
        if PROVENANCE in sources:
            sources[PROVENANCE] = record_seen_by(step, self.published)
        for declared, source in sources.items():
            if source.is_file():
                link = locate(declared, self.paths)
                link.parent.mkdir(parents=True, exist_ok=True)
                _link(source, link)
        for declared in step.writes:
            locate(declared, self.paths).parent.mkdir(parents=True, exist_ok=True)

    def missing(self, step: Step) -> list[str]:
        """Declared files that the step has not written."""
        return [
            declared
            for declared in step.writes
            if declared not in step.optional and not _written(locate(declared, self.paths))
        ]

    def publish(self, step: Step) -> None:
        """Move what the step wrote to its place; what it no longer writes goes.

        Raises:
            UndeclaredOutputError: it wrote more than it declares; nothing is moved.
        """
        products = {
            locate(declared, self.paths): locate(declared, self.published) for declared in step.writes
        }
        if undeclared := sorted(_written_files(self.root) - set(products)):
            names = ", ".join(path.relative_to(self.root).as_posix() for path in undeclared)
            raise UndeclaredOutputError(
                f"{step.name} wrote {names}: add it to `writes` of [{step.name}] in notebooks/{PLAN_FILE}."
            )
        made = {source: target for source, target in products.items() if _written(source)}
        gone = [str(target) for source, target in products.items() if source not in made]
        moves: list[tuple[str, str]] = []
        try:
            for source, target in made.items():
                moves.append((_ready(source, target), str(target)))
            write_whole(self.root / _MOVES, json.dumps({"moves": moves, "gone": gone}).encode())
        except BaseException:  # nothing has been moved yet; the stage is removed by whoever made it
            for ready, _ in moves:
                Path(ready).unlink(missing_ok=True)
            raise
        _finish_moves(self.root)


def failed_notebook(step: Step, paths: CohortPaths) -> Path:
    """Where a notebook is kept, as far as it came, when a cell fails."""
    return state_dir() / "failed" / paths.name / f"{step.name}.ipynb"


def record_seen_by(step: Step, paths: CohortPaths) -> Path:
    """File of the record of provenance that a step is shown."""
    return state_dir() / "records" / paths.name / f"{step.name}.json"


def finish_interrupted() -> None:
    """Finish the moves of stages that a killed run left behind, and remove all stages.

    Only for the one run that holds the output folder.
    """
    stages = state_dir() / "stages"
    for root in sorted(stages.iterdir()) if stages.is_dir() else ():
        with contextlib.suppress(ValueError, KeyError, TypeError):  # damaged: the steps will be found changed
            if (root / _MOVES).is_file():
                _finish_moves(root)
        if root.is_dir() and not root.is_symlink():
            shutil.rmtree(root, ignore_errors=True)
        else:
            root.unlink(missing_ok=True)


def _ready(source: Path, target: Path) -> str:
    """Do all that can fail before the first product moves; returns what is to be renamed to its target.

    Raises:
        OSError: the target cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if source.stat().st_dev == target.parent.stat().st_dev:
        return str(source)
    return str(_copy_beside(source, target))  # the output lies on several disks


def linked_folders(paths: CohortPaths) -> list[Path]:
    """Folders within the results and figures of a cohort that are links: what goes there goes elsewhere.

    The two folders themselves may be links, to a larger disk for instance.
    """
    walks = (os.walk(folder) for folder in (paths.results, paths.figures))
    inner = (Path(place, name) for place, names, _ in itertools.chain(*walks) for name in names)
    return sorted(path for path in inner if path.is_symlink())


def sweep(paths: CohortPaths) -> None:
    """Remove files that killed processes were writing beside the results of a cohort.

    >>> from helpers.project.paths import CohortPaths
    >>> sweep(CohortPaths.of("rdmas_reconstructed@horizon_days=1"))
    """
    for folder in (paths.results, paths.figures, *(state_dir() / kept for kept in _KEPT)):
        sweep_unfinished(folder)
        for inner in folder.glob("*/"):
            sweep_unfinished(inner)


def half_published() -> set[Path]:
    """Files that a killed run was replacing; the next run finishes that."""
    found: set[Path] = set()
    for moves in (state_dir() / "stages").glob(f"*/{_MOVES}"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(moves.read_text(encoding="utf-8"))
            found |= {Path(target) for target in (*(to for _, to in record["moves"]), *record["gone"])}
    return found


def _finish_moves(root: Path) -> None:
    record = json.loads((root / _MOVES).read_text(encoding="utf-8"))
    moves = [(Path(source), Path(target)) for source, target in record["moves"]]
    gone = [Path(target) for target in record["gone"]]
    # A list that came with somebody's folder may name any file.
    if not all(_published(target) and _staged(source, target, root) for source, target in moves):
        raise ValueError("moves that no stage has written")
    if not all(map(_published, gone)):
        raise ValueError("files that no step publishes")
    for source, target in moves:
        if _written(source):
            _rename(source, target)
    for target in gone:
        target.unlink(missing_ok=True)
    (root / _MOVES).unlink()


def _published(target: Path) -> bool:
    """Whether a file lies among results or figures, not behind a link within them."""
    places = [output_root() / part for part in ("results", "figures")]
    inside = next((target.relative_to(place) for place in places if target.is_relative_to(place)), None)
    if inside is None or ".." in target.parts:
        return False
    return not any(folder.is_symlink() for folder in list(target.parents)[: max(len(inside.parts) - 2, 0)])


def _staged(source: Path, target: Path, root: Path) -> bool:
    """Whether a file was written in a stage, or copied from it to beside its target."""
    beside = source.parent == target.parent and source.name.startswith(f".{target.name}.")
    return ".." not in source.parts and (source.is_relative_to(root) or beside)


def _rename(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = _copy_beside(source, target)  # one disk, mounted twice
        beside.replace(target)
        source.unlink()


def _copy_beside(source: Path, target: Path) -> Path:
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, beside)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return beside


def link_files(source: Path, target: Path, *, without: Collection[Path] = ()) -> None:
    """Have a folder show the files of another one that it has not got itself, now and as they are from now
    on.

    Args:
        source: the other folder; need not exist.
        target: the folder; is made.
        without: files of ``target`` that are not to be links.

    >>> import tempfile
    >>> source, target = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp(), "shown")
    >>> (source / "patients.csv").write_text("patient_id")
    10
    >>> link_files(source, target)
    >>> (target / "patients.csv").read_text()
    'patient_id'
    """
    target.mkdir(parents=True, exist_ok=True)
    for old in target.iterdir():
        if old.is_symlink():
            old.unlink()
    for file in sorted(source.glob("*")) if source.is_dir() else ():
        link = target / file.name
        if file.is_file() and not link.exists() and link not in without:
            _link(file, link)


def _link(source: Path, link: Path) -> None:
    try:
        link.symlink_to(source)
    except OSError:  # a system, or a user, that may not make links
        shutil.copyfile(source, link)


def _written(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _written_files(root: Path) -> set[Path]:
    folders: Iterable[Path] = (root / "results", root / "figures")
    return {path for folder in folders for path in folder.rglob("*") if _written(path)}
