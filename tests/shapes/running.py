"""A cohort through the code of all notebooks, the tables and the manuscript, and what is wrong with them."""

from __future__ import annotations

import html
import json
import math
import os
import re
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from matplotlib.text import Text

from helpers.cohort.config import load_config
from helpers.report.figures.output.publish import drawn
from helpers.report.figures.output.recipes import Recipe
from helpers.report.formats.export import export_tables
from helpers.report.formats.manuscript import manuscript_bytes
from helpers.report.journals.requirements import journal_named
from helpers.report.tables.table import Table
from helpers.report.text.document import build_report
from helpers.report.text.material import Study
from helpers.report.text.wording import Wording
from helpers.results.store import Statistics

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("0[1-9]_*.ipynb"))
# Values that computers write and people do not; "None of the patients" is English.
_UNSAID = re.compile(
    r"(?<![\w.])(?:nan|NaN|[-−]?inf|NaT|<NA>|None(?! (?:of|was|were|is|are|has|had|can|with)\b))(?!\w)"
)
RANGES = {"fragility", "specification"}
_TAG = re.compile(r"<[^>]*>")


class Shown:
    """What readers would see, by where it stands, and figures that could not be drawn."""

    def __init__(self, *, draw: bool) -> None:
        self.draw = draw
        self.texts: dict[str, list[str]] = {}

    def publish(self, study: Any, name: str, column: Any, height_mm: float, words: str, draw: Any,
                *arguments: Any, **options: Any) -> None:  # fmt: skip
        """Draw a figure as `publish_figure` does, and keep its texts instead of its file."""
        if not self.draw:
            return
        fonts = tuple(study.report.cjk_fonts)
        recipe = Recipe(
            name, column, float(height_mm), words, study.watermark, study.report.language, study.report.terms,
            fonts, draw, arguments, options,
        )  # fmt: skip
        with drawn(recipe, journal_named(study.report.journal)) as figure:
            figure.draw_without_rendering()
            texts = [item.get_text() for item in figure.findobj(Text) if item.get_visible()]
        self.texts[name] = texts

    def keep(self, table: Table, directory: Path) -> Table:
        """Store a table as the exports read it, and keep its texts."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{table.name}.json").write_text(table.to_json(), encoding="utf-8")
        self.texts[table.name] = [text for row in table.texts for text in row]
        return table


@contextmanager
def _into(output: Path, shown: Shown) -> Iterator[None]:
    def save(table: Table, directory: Path, _wording: Any = None) -> Table:
        return shown.keep(table, directory)

    with (
        mock.patch.dict(os.environ, {"COMPENDIUM_OUTPUT": str(output), "COMPENDIUM_RUN": "1"}),
        mock.patch.object(Table, "save", save),
        mock.patch("helpers.report.figures.output.publish.publish_figure", shown.publish),
    ):
        yield


def _execute(notebook: Path, cohort: Path, shown: Shown) -> None:
    """Run the cells of a notebook; the value of a cell's last expression is kept as its words."""
    namespace: dict[str, object] = {}
    for number, cell in enumerate(json.loads(notebook.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] != "code":
            continue
        value = _value_of("".join(cell["source"]), notebook.name, namespace)
        if hasattr(value, "_repr_markdown_"):
            shown.texts[f"{notebook.stem} cell {number}"] = [value._repr_markdown_()]
        if "parameters" in cell["metadata"].get("tags", []):
            namespace["cohort"] = str(cohort)


def _value_of(source: str, name: str, namespace: dict[str, object]) -> Any:
    import ast

    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), name, "eval"), namespace)


def faults_of(
    cohort: Path, output: Path, *, draw: bool, languages: Sequence[str] = ("en", "zh")
) -> list[str]:
    """Run a cohort from raw files to documents and return what is wrong, in words; empty if nothing is."""
    shown = Shown(draw=draw)
    faults: list[str] = []
    with _into(output, shown):
        for notebook in NOTEBOOKS:
            try:
                _execute(notebook, cohort, shown)
            except Exception:
                faults.append(f"{notebook.stem}: {_brief(traceback.format_exc())}")
        results = output / "results" / cohort.name
        if faults:
            return faults
        try:
            faults += _documents(cohort, results, shown, languages)
        except Exception:
            faults.append(f"documents: {_brief(traceback.format_exc())}")
    faults += [
        f"{place}: {text[:160]!r}"
        for place, texts in shown.texts.items()
        for text in texts
        if _UNSAID.search(_TAG.sub("", html.unescape(text)))
    ]
    statistics = Statistics.read(results / "statistics")
    return faults + _without_reason(statistics) + _of_no_width(statistics)


def _documents(cohort: Path, results: Path, shown: Shown, languages: Sequence[str]) -> list[str]:
    """Write tables, manuscript and its text in these languages."""
    config = load_config(cohort)
    export_tables(cohort, results)
    study = Study.open(cohort, results, results.parents[1] / "figures" / cohort.name)
    for language in languages:
        document = build_report(study, Wording.of(language, config))
        manuscript_bytes(document)
        shown.texts[f"manuscript {language}"] = [
            str(block.text) for block in document.blocks if hasattr(block, "text")
        ]
    return []


def _without_reason(statistics: Statistics) -> list[str]:
    """Rows that hold no number and do not say why."""
    empty = [
        row for row in statistics.values()
        if all(math.isnan(x) for x in (row.value, row.lower, row.upper, row.p_value))
    ]  # fmt: skip
    return [f"{row.id}: no value and no reason (method {row.method!r})" for row in empty if not row.note]


def _of_no_width(statistics: Statistics) -> list[str]:
    """Rows whose interval claims certainty: an error of 0, where an arm or every draw has only one value.

    Ranges over what was tried, and bounds over what is unknown, may be of one value; so may limits that
    invert an exact test of tied values, and quantiles of times and counts that many share.
    """
    return [
        f"{row.id}: an interval of no width, {row.lower} (method {row.method!r})"
        for row in statistics.values()
        if row.lower == row.upper
        and not (row.analysis in RANGES or "bounds" in row.statistic + row.method)
        and not (row.statistic in ("shift", "change", "median_follow_up") and not row.note)
        and not row.statistic.startswith("predictive_")
    ]


def _brief(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines()]
    places = [line for line in lines if line.startswith("File") and "/helpers/" in line]
    where = re.sub(r'File ".*/helpers/', "", places[-1]) if places else ""
    return f"{lines[-1][:200]} at {where}"
