"""The page with every figure of the embedded cohort, from the register of figures and the stored results."""

from __future__ import annotations

import re
from pathlib import Path

from helpers.report.figures.output.exhibits import exhibits
from helpers.report.text.legends import figure_legend, svg_description
from helpers.report.text.material import Study
from helpers.report.text.prose import as_markdown
from helpers.report.text.wording import Wording
from helpers.run.plan import load_plan

_HEAD = """# Gallery

Every figure of the embedded cohort as it stands in the manuscript, the supplement or the report, with its
legend. The cohort was reconstructed from printed summaries: **its records are not patients**. Each figure
comes in pdf, svg, png and tiff at the size a journal prints it; `compendium figures` draws it for others.
[Exhibits](exhibits.md) says which statistics each is drawn from, [Extending](extending.md) how to add one.
"""
_NUMBER = re.compile(r"figure_(s?)(\d+)([a-z]?)")


def gallery(root: Path, cohort: str) -> str:
    """Return the page in Markdown, for a place beside the other pages in `docs/`.

    Args:
        root: the project's folder.
        cohort: the cohort's name; its figures and statistics must be there.

    Raises:
        ValueError: a figure that has a file is unknown to the plan of the run.
    """
    figures = root / "figures" / cohort
    study = Study.open(root / "data" / "cohorts" / cohort, root / "results" / cohort, figures)
    wording = Wording.of("en", study.config)
    makers, registered = _makers(root), exhibits()
    parts = [_HEAD]
    for path in sorted(figures.glob("figure_*.svg"), key=lambda path: _order(path.stem)):
        name = path.stem
        if name not in makers:
            raise ValueError(f"{path.name} is no product of notebooks/pipeline.toml")
        legend = as_markdown(str(figure_legend(path.with_suffix(""), study, wording)))
        words = registered[name].words if name in registered else svg_description(path)
        parts.append(_entry(name, legend, words, _width(path), makers[name], cohort))
    return "\n".join(parts)


def _entry(name: str, legend: str, words: str, width: int, maker: str, cohort: str) -> str:
    title, _, rest = legend.partition(". ")
    made = (
        f"[{maker}](../notebooks/{maker}.ipynb)" if maker[0].isdigit() else f"the step `{maker}` of the run"
    )
    return "\n".join([
        f"## {_label(name)}. {title.rstrip('.')}", "",
        f":::{{figure}} ../figures/{cohort}/{name}.png", f":alt: {words}", f":name: {name}",
        f":width: {width}px", "",
        rest or f"{title.rstrip('.')}.", ":::", "",
        f"`{name}`, drawn by {made}.", "",
    ])  # fmt: skip


def _width(path: Path) -> int:
    """Width on a screen, in pixels: that of the printed figure."""
    found = re.search(r'<svg[^>]* width="([\d.]+)pt"', path.read_text(encoding="utf-8"))
    return round(float(found[1]) * 4 / 3) if found else 680


def _makers(root: Path) -> dict[str, str]:
    """Name of the step that writes each figure."""
    return {
        Path(place).stem: step.name
        for step in load_plan(root / "notebooks" / "pipeline.toml")
        for place in step.writes
        if place.startswith("figures/")
    }


def _label(name: str) -> str:
    found = _NUMBER.match(name)
    return f"Figure {found[1].upper()}{found[2]}{found[3].upper()}" if found else name


def _order(name: str) -> tuple[bool, int, str]:
    found = _NUMBER.match(name)
    return (bool(found[1]), int(found[2]), found[3]) if found else (True, 10**6, name)
