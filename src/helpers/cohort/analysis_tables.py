"""The analysis tables: their columns and types, and how they are stored.

>>> (
...     AnalysisTables.names()[:3],
...     len(empty_frame("patients")),
...     "patient_id" in shaped("events", empty_frame("events")),
... )
(('patients', 'measurements', 'visits'), 0, True)
"""

import json
import os
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

INPUTS_FILE = "inputs.json"

# Columns and types of the stored frames; `patients` has these and every patient-level column of the cohort.
COLUMNS: dict[str, dict[str, str]] = {
    "patients": {
        "patient_id": "object",
        "group": "object",
        "last_contact_day": "Float64",
        "death_day": "Float64",
        "followup_days": "float64",
        "died": "bool",
        "source_row": "int64",
    },
    "measurements": {
        "patient_id": "object",
        "day": "int64",
        "variable": "object",
        "value": "float64",
        "qualifier": "object",
        "unit": "object",
        "recorded_value": "float64",
        "recorded_unit": "object",
        "reference_low": "float64",
        "reference_high": "float64",
        "visit": "object",
        "selected": "bool",
        "role": "object",
        "source_row": "int64",
    },
    "visits": {
        "patient_id": "object",
        "visit": "object",
        "variable": "object",
        "value": "float64",
        "qualifier": "object",
        "unit": "object",
        "recorded_value": "float64",
        "recorded_unit": "object",
        "reference_low": "float64",
        "reference_high": "float64",
        "day": "int64",
        "source_row": "int64",
    },
    "treatments": {
        "patient_id": "object",
        "drug": "object",
        "start_day": "int64",
        "stop_day": "Float64",
        "dose": "float64",
        "unit": "object",
        "route": "object",
        "times_per_day": "float64",
        "stop_reason": "object",
        "source_row": "int64",
    },
    "doses": {
        "patient_id": "category",
        "day": "int64",
        "prednisone_mg": "float64",
        "weight_kg": "float64",
        "mg_per_kg": "float64",
    },
    "responses": {
        "patient_id": "object",
        "visit": "object",
        "day": "int64",
        "response": "object",
        "selected": "bool",
        "role": "object",
        "source_row": "int64",
    },
    "events": {
        "patient_id": "object",
        "day": "int64",
        "term": "object",
        "grade": "Int64",
        "serious": "boolean",
        "related": "object",
        "stop_day": "Float64",
        "outcome": "object",
        "source_row": "int64",
    },
    "dispositions": {
        "table": "object",
        "source_row": "int64",
        "patient_id": "object",
        "group": "object",
        "disposition": "object",
        "reason": "object",
        "role": "object",
    },
}


@dataclass(frozen=True)
class AnalysisTables:
    """All analysis tables of one cohort; `absent` names the raw tables the cohort does not have.

    The frames of an absent table are empty but have their columns, so that code runs unchanged and a
    notebook can say which analyses are switched off.

    >>> import tempfile
    >>> place = tempfile.mkdtemp()
    >>> [path.suffix for path in tables.write(place, inputs="digest")][:2]
    ['.parquet', '.parquet']
    >>> AnalysisTables.stored_digest(place), len(AnalysisTables.read(place).patients)
    ('digest', 41)
    """

    patients: pd.DataFrame
    measurements: pd.DataFrame
    visits: pd.DataFrame
    treatments: pd.DataFrame
    doses: pd.DataFrame
    responses: pd.DataFrame
    events: pd.DataFrame
    dispositions: pd.DataFrame
    absent: frozenset[str]

    @cached_property
    def by_patient(self) -> pd.DataFrame:
        """The patients, by `patient_id`."""
        return self.patients.set_index("patient_id")

    @cached_property
    def rows_of_groups(self) -> dict[str, np.ndarray[Any, Any]]:
        """Positions among the patients of those of each group, in their order."""
        found = self.patients.groupby("group", observed=True).indices
        return {str(group): np.asarray(rows) for group, rows in found.items()}

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of the frames, which are also the names of their files."""
        return tuple(field.name for field in fields(cls) if field.name != "absent")

    def write(self, directory: Path | str, *, inputs: str = "") -> list[Path]:
        """Store every frame as Parquet, and `inputs.json`: the digest of the inputs and the absent tables.

        The same frames give the same bytes. Each file is replaced whole, `inputs.json` is removed first and
        written last, so that a half-written directory is never taken for a complete one. Returns the paths.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        mark = directory / INPUTS_FILE
        mark.unlink(missing_ok=True)
        paths = []
        for name in self.names():
            path = directory / f"{name}.parquet"
            _replace(path, _parquet_bytes(getattr(self, name)))
            paths.append(path)
        stored = {"inputs": inputs, "absent": sorted(self.absent)}
        _replace(mark, (json.dumps(stored, indent=2) + "\n").encode())
        return [*paths, mark]

    @classmethod
    def read(cls, directory: Path | str, names: Collection[str] | None = None) -> Self:
        """Read what `write` stored. Raises FileNotFoundError if the directory is not complete.

        Args:
            directory: folder of the stored frames.
            names: the frames that are wanted, others have no rows; all of them if None.
        """
        directory = Path(directory)
        stored = json.loads((directory / INPUTS_FILE).read_text(encoding="utf-8"))
        wanted = cls.names() if names is None else names
        frames = {
            name: pd.read_parquet(directory / f"{name}.parquet") if name in wanted else empty_frame(name)
            for name in cls.names()
        }
        return cls(**frames, absent=frozenset(stored["absent"]))

    @staticmethod
    def stored_digest(directory: Path | str) -> str | None:
        """Return the digest of the inputs of what is stored, None if nothing complete is."""
        try:
            stored = json.loads((Path(directory) / INPUTS_FILE).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
            return None
        return str(stored.get("inputs", ""))


def shaped(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with exactly the columns and types of the analysis table `name`, absent ones empty."""
    columns = COLUMNS[name]
    # Column by column, and what has its type already stays where it is: millions of doses are not copied.
    held: dict[str, pd.Series] = {}
    for column, dtype in columns.items():
        values = frame[column] if column in frame else pd.Series(np.nan, frame.index)
        held[column] = values if values.dtype == dtype else values.astype(pd.api.types.pandas_dtype(dtype))
        if dtype == "object" and (lacking := values.isna()).any():
            held[column] = held[column].mask(lacking, None)
    out = pd.DataFrame(held, index=frame.index, columns=list(columns), copy=False)
    out.index = pd.RangeIndex(len(out))
    return out


def empty_frame(name: str) -> pd.DataFrame:
    """Return the analysis table `name` without rows."""
    return shaped(name, pd.DataFrame(columns=list(COLUMNS[name])))


def _parquet_bytes(frame: pd.DataFrame) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole: under another name first, then put in place in one step."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
