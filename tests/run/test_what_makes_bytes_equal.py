"""Every setting that keeps bytes equal matters: without it two writings of the same thing differ."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rocrate.model.root_dataset
from command import ROOT
from matplotlib.figure import Figure
from rich.console import Console

from helpers.cohort.config import load_config
from helpers.kernels import execute
from helpers.kernels.fork_server.client import KERNEL_ENVIRONMENT
from helpers.project import sources
from helpers.report.figures.output import export
from helpers.report.figures.style import figure_style
from helpers.report.formats import archive, docx, xlsx
from helpers.report.tables import table as stored
from helpers.report.tables.content import column, row
from helpers.report.tables.table import Table
from helpers.results import store
from helpers.run.crate import run_crate
from helpers.run.plan import load_plan
from helpers.run.progress import RunProgress
from helpers.run.runner import run

NEVER = re.compile(rb"(?!)")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Puts the clock to some second of 2026; Matplotlib and the office libraries look at different hands."""

    def put(second: int) -> None:
        moment = 1_800_000_000 + 7 * second
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(moment))
        local = time.gmtime(moment)
        monkeypatch.setattr("time.time", lambda: float(moment))
        monkeypatch.setattr("time.localtime", lambda *_: local)
        monkeypatch.setattr(rocrate.model.root_dataset, "iso_now", lambda: str(moment))

    return put


@pytest.fixture
def backwards(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has folders listed from the end."""
    listdir, scandir = os.listdir, os.scandir

    class Entries(list[Any]):
        def __enter__(self) -> Entries:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def close(self) -> None:
            pass

    def entries(*arguments: Any) -> Entries:
        with scandir(*arguments) as found:
            return Entries(sorted(found, key=lambda entry: entry.name, reverse=True))

    def turn() -> None:
        monkeypatch.setattr(os, "listdir", lambda *path: sorted(listdir(*path), reverse=True))
        monkeypatch.setattr(os, "scandir", entries)

    return turn


def drawn(suffix: str) -> bytes:
    """A figure with clipped lines, hatches and markers, for which files hold made-up names."""
    with figure_style():
        figure = Figure(figsize=(2, 2))
        axes = figure.add_subplot()
        axes.plot([0, 1, 2], [0, 2, 1], marker="o")
        axes.bar([0, 1], [1, 2], hatch="////")
        contents, _ = export.encoded(figure, "A figure.", formats=(suffix,), dpi=50)
    return contents[suffix]


def twice(write: Callable[[], bytes], clock: Callable[[int], None]) -> tuple[bytes, bytes]:
    """The same thing written at two times."""
    clock(1)
    first = write()
    clock(2)
    return first, write()


def a_table() -> Table:
    columns = [column("What"), column("n")]
    return Table("table_s4_x", "A table", columns, [row("Deaths", "1")], ["A note."], "")


OFFICE: dict[str, Callable[[Sequence[Table]], bytes]] = {
    "docx": docx.tables_document,
    "xlsx": xlsx.tables_workbook,
}


@pytest.mark.parametrize("suffix", export.FORMATS)
def test_a_figure_has_the_same_bytes_at_any_time(suffix, clock):
    first, second = twice(lambda: drawn(suffix), clock)
    assert first == second


@pytest.mark.parametrize(("suffix", "setting"), [("pdf", "CreationDate"), ("svg", "Date")])
def test_without_its_empty_date_a_figure_has_that_of_the_clock(suffix, setting, clock, monkeypatch):
    usual = export._metadata

    def dated(description: str) -> dict[str, dict[str, Any]]:
        found = usual(description)
        del found[suffix][setting]
        return found

    monkeypatch.setattr(export, "_metadata", dated)
    first, second = twice(lambda: drawn(suffix), clock)
    assert first != second


@pytest.mark.parametrize(
    ("suffix", "setting", "word"),
    [
        ("pdf", "Creator", b"atplotlib"),
        ("pdf", "Producer", b"atplotlib"),
        ("svg", "Creator", b"Matplotlib v"),
    ],
)
def test_without_its_empty_maker_a_figure_names_the_version_that_drew_it(suffix, setting, word, monkeypatch):
    usual = export._metadata
    assert word not in drawn(suffix)

    def named(description: str) -> dict[str, dict[str, Any]]:
        found = usual(description)
        del found[suffix][setting]
        return found

    monkeypatch.setattr(export, "_metadata", named)
    assert word in drawn(suffix)


def test_without_numbered_ids_a_picture_has_random_ones(monkeypatch):
    assert drawn("svg") == drawn("svg")
    monkeypatch.setattr(export, "_GENERATED_ID", NEVER)
    assert drawn("svg") != drawn("svg")


@pytest.mark.parametrize("kind", OFFICE)
def test_an_office_file_has_the_same_bytes_at_any_time(kind, clock):
    first, second = twice(lambda: OFFICE[kind]([a_table()]), clock)
    assert first == second


@pytest.mark.parametrize("kind", OFFICE)
def test_an_office_file_that_is_not_packed_anew_has_the_clock_in_its_entries(kind, clock, monkeypatch):
    monkeypatch.setattr(docx if kind == "docx" else xlsx, "reproducible", lambda content: content)
    first, second = twice(lambda: OFFICE[kind]([a_table()]), clock)
    entries = [[item.date_time for item in zipfile.ZipFile(io.BytesIO(file)).infolist()]
               for file in (first, second)]  # fmt: skip
    assert entries[0] != entries[1]


def test_a_workbook_whose_properties_are_left_alone_has_the_time_of_its_making(monkeypatch):
    monkeypatch.setattr(archive, "_DATED", re.compile(rb"(?!)()()()"))
    file = zipfile.ZipFile(io.BytesIO(OFFICE["xlsx"]([a_table()])))
    said = re.search(rb"created[^>]*>(\d{4})", file.read("docProps/core.xml"))
    assert said is not None
    assert int(said[1]) == datetime.now(tz=UTC).year


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor: there is nothing to divide a sum among")
def test_without_one_thread_a_kernel_sums_in_parts():
    """The last bits of a long sum depend on how many threads share it."""
    code = (
        "import numpy as np; x = np.random.default_rng(1).normal(size=1_000_003); print(float(x @ x).hex())"
    )
    found = {}
    for name, value in (("pinned", KERNEL_ENVIRONMENT["OPENBLAS_NUM_THREADS"]), ("free", "2")):
        env = os.environ | {"OPENBLAS_NUM_THREADS": value, "OMP_NUM_THREADS": value}
        command = [sys.executable, "-c", code]
        found[name] = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    if "openblas" not in str(np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]):
        pytest.skip("another library than OpenBLAS adds here")
    assert found["pinned"] != found["free"]


def test_a_notebook_that_is_not_cleaned_holds_its_times(project, tmp_path, monkeypatch):
    """Two runs in real kernels."""
    monkeypatch.setattr(execute, "_clean", lambda executed, _: executed)
    found = []
    for name in ("first", "second"):
        monkeypatch.setenv("COMPENDIUM_OUTPUT", str(tmp_path / name))
        assert run(["small"], progress=RunProgress(Console(file=io.StringIO())), workers=2).ok
        notebooks = tmp_path / name / "results" / "small" / "notebooks"
        found.append({path.name: path.read_bytes() for path in notebooks.iterdir()})
    assert all(found[0][name] != found[1][name] for name in found[0])


@pytest.mark.parametrize(("first", "said"), [("import helpers.run.workspace", False), ("", True)])
def test_a_user_without_a_cache_of_fonts_sees_no_message_of_it(tmp_path, first, said):
    """Matplotlib waits five seconds before it speaks; here it does not wait."""
    code = f"""
import threading
start = threading.Timer.__init__
threading.Timer.__init__ = lambda self, wait, *rest, **more: start(self, 0.001, *rest, **more)
{first}
import matplotlib.font_manager
"""
    env = os.environ | {"MPLCONFIGDIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert ("building the font cache" in done.stderr) is said


def test_a_crate_that_keeps_the_day_of_the_library_has_the_clock(clock, monkeypatch):
    config = load_config(ROOT / "data" / "cohorts" / "rdmas_reconstructed")
    unpublished = config.model_copy(update={"publication": type(config.publication)()})
    record: dict[str, Any] = {
        "cohort": "x", "products": {}, "raw_data": {}, "project_files": {}, "notebooks": {}, "packages": {},
        "python": "3.11", "helpers": "", "parameters": {},
    }  # fmt: skip

    def written() -> bytes:
        return json.dumps(run_crate(record, load_plan(), unpublished).metadata.generate()).encode()

    first, second = twice(written, clock)
    assert first == second
    monkeypatch.setattr("rocrate.model.entity.Entity.__delitem__", lambda *_: None)
    first, second = twice(written, clock)
    assert first != second


READERS: dict[str, tuple[Any, Callable[[Path], list[str]]]] = {
    "files of a cohort": (
        sources,
        lambda folder: [path.name for path in sources.files_matching(folder, "*.csv")],
    ),
    "statistics": (
        store,
        lambda folder: [found.split(".")[1] for found in store.Statistics.read(folder)],
    ),
    "tables": (stored, lambda folder: [one.name for one in stored.stored_tables(folder)]),
}


class TestTheOrderOfFolders:
    """Disks list folders in orders of their own."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        header = ",".join(store.COLUMNS)
        for name in ("01_a", "02_b", "03_c"):
            rest = "," * (len(store.COLUMNS) - 1)
            row_of = f"x.{name}.g.t.s{rest}"
            (tmp_path / f"{name}.csv").write_text(f"{header}\n{row_of}\n", encoding="utf-8")
        for name in ("table_s4_a", "table_s4_b", "table_s4_c"):
            one = Table(name, name, [column("n")], [row("1")], [], "")
            (tmp_path / f"{name}.json").write_text(one.to_json(), encoding="utf-8")
        return tmp_path

    @pytest.mark.parametrize("what", READERS)
    def test_what_is_read_in_order_would_not_be_without_sorting(self, what, folder, backwards, monkeypatch):
        module, read = READERS[what]
        usual = read(folder)
        assert len(usual) == 3
        assert usual == sorted(usual)
        backwards()
        assert read(folder) == usual
        monkeypatch.setattr(module, "sorted", lambda found, **_: list(found), raising=False)
        assert read(folder) == usual[::-1]
