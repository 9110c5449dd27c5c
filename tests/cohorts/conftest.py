"""Cohorts that were not made for this project, analysed by the command that everybody uses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import pytest
from command import compendium

from helpers.report.figures.output.export import FORMATS

_FIGURES = {
    *("figure_1", "figure_1a", "figure_1b", "figure_1c", "figure_2", "figure_s1_flow", "figure_s2_missing"),
    *("figure_s3_balance", "figure_s4_prior_therapies", "figure_s5_response_paths", "figure_s6_exposure"),
}


@dataclass(frozen=True)
class Analysed:
    """What a run left behind."""

    folder: Path
    output: Path
    printed: str

    @property
    def results(self) -> Path:
        return self.output / "results" / self.folder.name

    @property
    def figures(self) -> Path:
        return self.output / "figures" / self.folder.name

    @cached_property
    def statistics(self) -> pd.DataFrame:
        """Every statistics row, by id."""
        files = sorted((self.results / "statistics").glob("*.csv"))
        frames = [pd.read_csv(file) for file in files]
        filled = [frame for frame in frames if len(frame)]
        return pd.concat(filled).set_index("id", verify_integrity=True)

    def value(self, row: str, column: str = "value") -> float:
        return float(self.statistics.loc[row, column])

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.results / "data" / f"{name}.parquet")

    def said(self, notebook: str) -> str:
        """Text that the executed notebook shows below its cells."""
        content = json.loads((self.results / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))
        outputs = [output for cell in content["cells"] for output in cell.get("outputs", [])]
        shown = [output["data"] for output in outputs if "data" in output]
        texts = [data.get("text/markdown", data.get("text/plain", "")) for data in shown]
        return "\n".join("".join(text) for text in texts)

    def drawn(self) -> set[str]:
        """Figures that are there in every format."""
        formats = [{path.stem for path in self.figures.glob(f"*.{suffix}")} for suffix in FORMATS]
        assert all(stems == formats[0] for stems in formats), formats
        return formats[0]

    def draws_all(self) -> bool:
        """Whether every figure is there that a cohort of any kind has."""
        return self.drawn() >= _FIGURES

    def drawing(self, name: str) -> str:
        return (self.figures / f"{name}.svg").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Analysed]:
    """Run `compendium run FOLDER --output ...` and return what it left behind."""

    def run(folder: Path) -> Analysed:
        output = tmp_path_factory.mktemp("output")
        done = compendium("run", folder, "--output", output)
        assert done.returncode == 0, done.stdout + done.stderr
        return Analysed(folder, output, done.stdout)

    return run
