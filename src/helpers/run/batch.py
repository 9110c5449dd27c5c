"""Many cohorts in one go: which they are, and one page and one table of what became of all.

>>> [Path(cohort).name for cohort in cohorts_of(["rdmas_*"])]
['rdmas_reconstructed']
>>> usable(["rdmas_reconstructed"])[1]
{}
>>> from helpers.run.outcomes import RunReport
>>> lines = lines_of(["rdmas_reconstructed"], RunReport(), {})
>>> [(line.cohort, line.status) for line in lines], curves(lines)
([('rdmas_reconstructed', 'interrupted')], {})
"""

import csv
import html
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from helpers.cohort.config import CONFIG_FILE, read_config
from helpers.errors import CompendiumError
from helpers.project.paths import CohortPaths, ProjectError, output_root, project_root
from helpers.results.catalogue import SurvivalRows
from helpers.results.files import write_whole
from helpers.results.headline import headline_ratio
from helpers.results.spreadsheet import harmless
from helpers.results.store import Statistics, StatisticsStoreError
from helpers.run.outcomes import RunReport

BATCH = "batch"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem;color:#1a1a1a;background:#fff}"
    "table{border-collapse:collapse}th,td{border:1px solid #767676;padding:.3rem .5rem;text-align:left}"
    "th{background:#eef2f6}.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr));gap:1rem}"
    "figure{margin:0}img{width:100%}.failed,.refused{color:#7a1f1f}"
)


@dataclass(frozen=True)
class Line:
    """One cohort of a batch: what became of it, and its main estimates.

    Attributes:
        status: finished, failed, refused or interrupted.
        reason: why it did not finish; empty if it did.
        n, deaths: patients and deaths by group, treated first, parted by a slash.
        hazard_ratio, lower, upper: of death, the estimate that leads; empty where there is none.
        method: how it was estimated.
    """

    cohort: str
    status: str
    reason: str = ""
    n: str = ""
    deaths: str = ""
    hazard_ratio: str = ""
    lower: str = ""
    upper: str = ""
    method: str = ""


def cohorts_of(patterns: Iterable[str]) -> list[str]:
    """Return the cohort folders that names, folders of cohorts and patterns stand for, each once.

    A folder with a `cohort.toml` or a `mapping.toml` is a cohort; of another folder all its subfolders are.

    Raises:
        CompendiumError: a pattern stands for nothing.
    """
    found: list[str] = []
    for pattern in patterns:
        embedded = project_root() / "data" / "cohorts"
        hits = _matching(Path(pattern).expanduser()) or sorted(embedded.glob(pattern))
        folders = [hit for hit in hits if hit.is_dir()]
        if not folders:
            raise CompendiumError(
                f"Nothing is called {pattern!r}.", remedy="Give a folder or a pattern of cohorts."
            )
        for folder in folders:
            is_cohort = (folder / CONFIG_FILE).exists() or (folder / "mapping.toml").exists()
            below = (
                [] if is_cohort else sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] != ".")
            )
            found += map(str, below or [folder])
    return list(dict.fromkeys(found))


def _matching(given: Path) -> list[Path]:
    """Paths that a path with signs of a pattern stands for."""
    parts = given.parts
    first = next((n for n, part in enumerate(parts) if any(sign in part for sign in "*?[")), None)
    if first is None:
        return [given] if given.is_dir() else []
    return sorted(Path(*parts[:first]).glob("/".join(parts[first:])))


def usable(cohorts: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Return the cohorts that results can be filed of, and why the others cannot, by name."""
    fine: list[str] = []
    refused: dict[str, str] = {}
    for cohort in cohorts:
        try:
            name = CohortPaths.of(cohort).name
        except ProjectError as error:
            refused[Path(cohort).name] = str(error)
            continue
        if name == BATCH:
            refused[name] = f"The name {BATCH!r} is that of the summary: rename the folder."
        else:
            fine.append(cohort)
    return fine, refused


def lines_of(cohorts: Iterable[str], report: RunReport, refused: Mapping[str, str]) -> list[Line]:
    """Return a line for each cohort, in the order of their names."""
    lines = [Line(name, "refused", _first(text)) for name, text in refused.items()]
    for cohort in cohorts:
        paths = CohortPaths.of(cohort)
        if paths.name in report.refused:
            lines.append(Line(paths.name, "refused", _first(report.refused[paths.name])))
            continue
        outcomes = [one for one in report.outcomes if one.cohort == paths.name]
        bad = next((one for one in outcomes if one.status == "failed"), None)
        bad = bad or next((one for one in outcomes if not one.done), None)
        if bad is not None:
            lines.append(Line(paths.name, "failed", f"{bad.step}: {_first(bad.message)}"))
        elif report.interrupted or not outcomes:
            lines.append(Line(paths.name, "interrupted", "the run was stopped"))
        else:
            lines.append(_finished(paths))
    return sorted(lines, key=lambda line: line.cohort)


def _first(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return f"{lines[0].strip()}{more}" if lines else "no reason was told"


def _finished(paths: CohortPaths) -> Line:
    config = read_config(paths.folder).config
    day = f"day_{config.horizon_days}"
    try:
        statistics = Statistics.read(paths.statistics)
    except StatisticsStoreError as error:
        return Line(paths.name, "failed", str(error))
    counts = [
        statistics.find(SurvivalRows.deaths, "death", group=group, timepoint=day)
        for group in config.group_ids
    ]
    row = headline_ratio(statistics, day)
    return Line(
        paths.name,
        "finished",
        n="/".join("" if one is None or one.n is None else str(one.n) for one in counts),
        deaths="/".join("" if one is None else f"{one.value:g}" for one in counts),
        hazard_ratio=_number(row.value) if row else "",
        lower=_number(row.lower) if row else "",
        upper=_number(row.upper) if row else "",
        method=row.method if row else "",
    )


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def write_batch(lines: list[Line], figures: Mapping[str, str]) -> Path:
    """Write `results/batch/summary.csv` and `index.html`; return the folder.

    Args:
        lines: one a cohort.
        figures: relative address of the survival curves, by cohort.
    """
    folder = output_root() / "results" / BATCH
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Line)], lineterminator="\n")
    writer.writeheader()
    for line in lines:
        told = asdict(line).items()
        writer.writerow({name: harmless(each) if isinstance(each, str) else each for name, each in told})
    write_whole(folder / "summary.csv", text.getvalue().encode())
    write_whole(folder / "index.html", _page(lines, figures).encode())
    return folder


def curves(lines: Iterable[Line]) -> dict[str, str]:
    """Return where the survival curves of finished cohorts are, as seen from the page."""
    found = {}
    for line in lines:
        file = output_root() / "figures" / line.cohort / "figure_1a.svg"
        if line.status == "finished" and file.is_file():
            found[line.cohort] = f"../../figures/{line.cohort}/figure_1a.svg"
    return found


def _page(lines: list[Line], figures: Mapping[str, str]) -> str:
    head = "".join(f"<th scope='col'>{field.name}</th>" for field in fields(Line))
    rows = "".join(
        f"<tr class='{line.status}'>"
        + "".join(f"<td>{html.escape(str(v))}</td>" for v in asdict(line).values())
        + "</tr>"
        for line in lines
    )
    drawn = "".join(
        f"<figure><img src='{html.escape(place)}' alt='Survival in {html.escape(name)}'>"
        f"<figcaption>{html.escape(name)}</figcaption></figure>"
        for name, place in figures.items()
    )
    done = sum(line.status == "finished" for line in lines)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Batch of cohorts</title>"
        f"<style>{_STYLE}</style></head><body><main><h1>{done} of {len(lines)} cohorts finished</h1>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<h2>Survival</h2><div class='grid'>{drawn}</div></main></body></html>\n"
    )
