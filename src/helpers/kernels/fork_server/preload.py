"""What a warm process imports for the kernels it forks: all that the notebooks' modules import, anywhere.

Thereafter what the steps of a run need that are functions: documents, report, crate.
"""

import ast
import contextlib
import gc
import importlib
import os
import re
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

from helpers.kernels.fork_server.settings import COLLECT_AFTER
from helpers.project import web_addresses  # noqa: F401  # before nbformat, which documents import too
from helpers.project.paths import notebooks_dir
from helpers.project.sources import (
    PACKAGE,
    NotebookFileError,
    notebook_modules,
    package_folder,
    source_files,
)

# Finding the statements first takes a tenth of the time of parsing every module.
_STATEMENT = re.compile(
    r"^[ \t]*(?:from[ \t]+[\w.]+[ \t]+import[ \t]+(?:\([^)]*\)|[^\n]+)|import[ \t]+[^\n]+)", re.MULTILINE
)
INLINE = "matplotlib_inline.backend_inline"
# What a kernel imports when it starts.
KERNEL_MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "debugpy",
    "sqlite3",
    "tornado.platform.asyncio",
    "zmq.utils.garbage",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "matplotlib_inline.config",
)
# What is loaded only when a name is completed, a table checked or written, a figure saved.
LATE_MODULES = (
    "IPython.core.completer",
    "jedi",
    "fontTools.subset",
    "matplotlib.backends.backend_pdf",
    "matplotlib.backends.backend_svg",
    "pandas.core.arrays.arrow.extension_types",
    "pandas.core.methods.to_dict",
    "pandas.core.reshape.reshape",
    "pandas.io.formats.csvs",
    "pandera.strategies.pandas_strategies",
    "PIL.PngImagePlugin",
    "PIL.TiffImagePlugin",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "scipy.special",
)


# What commands import before they know what there is to do; the rest is that of notebooks and documents.
COMMAND_MODULES = (
    "helpers.commands.cli",
    "typer._adapters",
    "rich.console",
    "helpers.run.runner",
    "helpers.run.grid",
    "helpers.run.progress",
    "helpers.run.steps",
    "helpers.run.checking",
    "helpers.run.status",
    "helpers.cohort.check",
    "helpers.intake.refresh",
    "helpers.report.figures.output.redraw",
    "helpers.kernels.execute",
    "helpers.kernels.pool",
)


class PreloadError(RuntimeError):
    """The process cannot be forked from: something that was imported has started a thread."""


def preload() -> Iterator[None]:
    """Import everything, and do beforehand what only some kernels do, but then each of them.

    Pauses after each module, so that a kernel can be forked in between: it then imports by itself what is
    still missing of that which it needs.
    """
    _prepare_imports()
    for name in _module_names():
        _import(name)
        yield
    for loaded, prepare in (
        ("helpers.report.figures.output.publish", _draw),
        ("helpers.report.text.wording", _read_words),
    ):
        if loaded in sys.modules:
            with contextlib.suppress(Exception):  # a notebook that cannot draw or tell will say so
                prepare()
    gc.enable()
    gc.collect()


def preload_steps() -> Iterator[None]:
    """Import what the plan's functions need, which no notebook does; pauses after each module.

    Loaded last where notebooks are to be executed: no kernel waits for it, and the steps come at the end.
    """
    _prepare_imports()
    for name in _step_module_names():
        _import(name)
        yield
    if templates := sys.modules.get("helpers.report.formats.templates"):
        templates.compile_templates()
    gc.enable()
    gc.collect()


def preload_commands() -> Iterator[None]:
    """Import what commands do; pauses after each module.

    >>> next(preload_commands()), "helpers.commands.cli" in sys.modules
    (None, True)
    """
    _prepare_imports()
    for name in COMMAND_MODULES:
        _import(name)
        yield
    gc.enable()
    gc.collect()


def _prepare_imports() -> None:
    os.environ.setdefault("MPLBACKEND", f"module://{INLINE}")
    gc.set_threshold(*COLLECT_AFTER)
    gc.disable()  # hardly anything that an import makes is garbage


def prepare_fork() -> None:
    """Leave nothing that a forked process must not have.

    Raises:
        PreloadError: a library has started a thread, which a forked process would lack.
    """
    sys.modules.pop(INLINE, None)  # at its import it looks for a shell to show figures in
    if (threads := _threads()) > 1:
        raise PreloadError(f"the warm process has {threads} threads after its imports")
    gc.freeze()  # kernels share these objects: a collection in one of them must not copy their pages


def _module_names() -> Iterator[str]:
    yield from KERNEL_MODULES
    for sources in _sources():
        yield from map(_module_name, sources)
        yield from sorted(_imports_of(sources))
    yield from (name for name in LATE_MODULES if name.partition(".")[0] in sys.modules)


def _step_module_names() -> Iterator[str]:
    try:
        plan = tomllib.loads((notebooks_dir() / "pipeline.toml").read_text(encoding="utf-8"))
        calls = [str(step["call"]) for step in plan.values() if "call" in step]
    except (OSError, ValueError, TypeError):  # the run will say what is wrong with it
        return
    sources = [
        path for path in source_files(call.partition(":")[0] for call in calls) if path.suffix == ".py"
    ]
    yield from map(_module_name, sources)
    yield from sorted(_imports_of(sources))


def _draw() -> None:
    """Draw a figure, so that fonts are found and read."""
    from helpers.report.figures.output.export import FORMATS, encoded
    from helpers.report.figures.style import DPI, figure_style, new_figure

    with figure_style():
        figure, body = new_figure(85, 60)
        axes = body.subplots()
        axes.plot([0, 1], [0, 1], label="\N{GREEK SMALL LETTER MU} \N{GREATER-THAN OR EQUAL TO} 1")
        axes.set_title("1", fontweight="bold")
        axes.text(0, 0, "1", style="italic")
        axes.legend()
        encoded(figure, "", formats=FORMATS, dpi=DPI)


def _read_words() -> None:
    """Read the words that every notebook opens its cohort with, and the English it tells it in."""
    from helpers.cohort.installed import ENGLISH
    from helpers.report.text.wording import language_file
    from helpers.vocabulary.reading import shipped_vocabulary

    shipped_vocabulary()
    for name in ("claims.toml", "methods.toml", "exhibits.toml"):
        language_file(ENGLISH, name)


def package_files() -> dict[str, float]:
    """Files of the package, sources and data, each with the time of its last change.

    To be asked before the package is loaded: afterwards, an edit made while it was loaded would pass for the
    source of what was loaded.

    >>> len(package_files()) > 200
    True
    """
    found = {}
    for folder, folders, files in os.walk(package_folder()):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            place = f"{folder}/{name}"
            found[place] = _changed(place)
    return found


def forget_changed(files: dict[str, float]) -> None:
    """Have the package imported anew if files of it were edited, added or removed since they were listed."""
    if package_files() != files:
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


def _changed(file: str) -> float:
    try:
        return Path(file).stat().st_mtime
    except OSError:
        return 0.0


def _sources() -> Iterator[list[Path]]:
    """Source files that the notebooks use: the first one's, then of each later one those that are new."""
    seen: set[Path] = set()
    for notebook in sorted(notebooks_dir().glob("*.ipynb")):
        try:
            modules = notebook_modules(notebook)
        except NotebookFileError:  # the run will say what is wrong with it
            continue
        new = [path for path in source_files(modules) if path.suffix == ".py" and path not in seen]
        seen.update(new)
        yield new


def _module_name(path: Path) -> str:
    parts = path.relative_to(package_folder()).with_suffix("").parts
    return ".".join((PACKAGE, *(part for part in parts if part != "__init__")))


def _imports_of(sources: list[Path]) -> set[str]:
    return {name for path in sources for name in _imports(path.read_text(encoding="utf-8"))}


def _imports(source: str) -> Iterator[str]:
    """Absolute imports anywhere in a source; of ``from a import b`` both ``a`` and ``a.b``."""
    for found in _STATEMENT.finditer(source):
        try:
            node = ast.parse(found[0].strip()).body[0]
        except SyntaxError:  # a line of prose, or under edit
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _import(name: str) -> None:
    """Import a module; what is none, is not installed or is broken, the notebook that needs it will tell."""
    base, _, attribute = name.rpartition(".")
    if base and hasattr(sys.modules.get(base), attribute):
        return
    try:
        importlib.import_module(name)
    except Exception:  # a module under edit may raise anything
        return


def _threads() -> int:
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return threading.active_count()
