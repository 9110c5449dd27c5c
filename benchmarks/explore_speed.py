"""Time from a change of a control of the explorer to its new figure, table and code, on one core.

Run with `python benchmarks/explore_speed.py [PATIENTS]`; the figures are written to explore_speed.json
beside this file. Every panel is shown, then each of its menus, lists, boxes, fields and sliders is changed
up to three times (once in the large cohort), always to a view that was not shown before. The large cohort
repeats the embedded one. The limits are on the seconds of the one core; the clock on the wall also counts
other programs.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.cohort.analysis_tables import AnalysisTables
from helpers.explore.controls import PANELS, Control
from helpers.explore.explorer import PanelView
from helpers.explore.study import Study, open_study

LIMITS = {"embedded": 0.5, "large": 2.0}


def repeated(tables: AnalysisTables, patients: int) -> AnalysisTables:
    """The tables with every patient as often as it takes, under new names."""
    copies = -(-patients // len(tables.patients))
    frames = {}
    for name in tables.names():
        frame = getattr(tables, name)
        parts = [frame.assign(patient_id=f"{copy:03d}_" + frame["patient_id"]) for copy in range(copies)]
        frames[name] = pd.concat(parts, ignore_index=True)
    kept = set(frames["patients"]["patient_id"][:patients])
    return replace(
        tables,
        **{
            name: frame[frame["patient_id"].isin(kept)].reset_index(drop=True)
            for name, frame in frames.items()
        },
    )


def others(control: Control) -> list[Any]:
    """Values other than the one at first: up to three of a menu, spread over it."""
    choices = [value for _, value in control.options if value != control.value]
    if control.kind == "choice":
        return choices[:: max(1, len(choices) // 2)][:3]
    if control.kind == "several":
        return [tuple(choices[:1]), tuple(choices[:2])]
    if control.kind == "whole":
        return [int(control.value) + 1, int(control.value) + 7]
    if control.kind == "slide":
        return [control.value + control.step, control.high]
    return [True] if control.kind == "tick" else ["1", "2.5"]


def redraws(study: Study, most: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds of the clock and of the core of every redraw that shows a view, by panel."""
    found: dict[str, list[tuple[float, float]]] = {}
    for spec in PANELS:
        view = PanelView(spec, study, lambda _: None)
        view.show()  # libraries that are loaded once
        taken = found.setdefault(spec.title, [])
        for control in spec.controls(study):
            for value in others(control)[:most]:
                start, core = time.perf_counter(), time.process_time()
                view.set(**{control.name: value})
                if view.look is not None:
                    taken.append((time.perf_counter() - start, time.process_time() - core))
            view.start_over()
    return found


def summary(study: Study, limit: float, most: int) -> dict[str, Any]:
    found = redraws(study, most)
    everything = [one for taken in found.values() for one in taken]
    core = statistics.median(one[1] for one in everything)
    return {
        "patients": len(study.patients),
        "redraws": len(everything),
        "limit_seconds": limit,
        "median_seconds": round(statistics.median(one[0] for one in everything), 3),
        "median_cpu_seconds": round(core, 3),
        "slowest_cpu_seconds": round(max(one[1] for one in everything), 3),
        "median_cpu_seconds_by_panel": {
            title: round(statistics.median(one[1] for one in taken), 3)
            for title, taken in found.items()
            if taken
        },
        "within_limit": core < limit,
    }


def main() -> None:
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    study = open_study("rdmas_reconstructed")
    result: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    # The large cohort is made afterwards: its tables would lengthen every collection of garbage before.
    makers = {
        "embedded": (lambda: study, 3),
        "large": (lambda: study.with_(study.config, repeated(study.tables, patients)), 1),
    }
    for name, (made, most) in makers.items():
        result[name] = summary(made(), LIMITS[name], most)
        print(name, json.dumps(result[name], indent=2), flush=True)
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
