"""The statistics store: every number of an analysis is one row with one identifier.

A notebook adds rows while it computes and writes them once, to ``statistics/NN_name.csv``. Tables, figure
annotations, sentences and the comparison with a publication read those rows and never compute again.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from helpers.errors import CompendiumError
from helpers.results.files import write_whole
from helpers.results.key import Analysis, Key
from helpers.results.spreadsheet import as_meant, harmless

EVERYBODY = "all"  # in the place of a group
ID_PARTS = ("analysis", "variable", "group", "timepoint", "statistic")
_PART = re.compile(r"[a-z0-9][a-z0-9_]*")
NUMBERS = ("value", "lower", "upper", "p_value")
COUNTS = ("n", "n_missing")
_TAIL = 1e-4


class StatisticsStoreError(CompendiumError):
    """A row that cannot be stored, or an identifier that is not in the store."""


class SupportsResult(Protocol):
    """What a statistical function returns: an estimate with its interval, p-value, size and method."""

    @property
    def method(self) -> str: ...  # noqa: D102
    @property
    def value(self) -> float: ...  # noqa: D102
    @property
    def lower(self) -> float: ...  # noqa: D102
    @property
    def upper(self) -> float: ...  # noqa: D102
    @property
    def p_value(self) -> float: ...  # noqa: D102
    @property
    def n(self) -> int: ...  # noqa: D102
    @property
    def n_missing(self) -> int: ...  # noqa: D102
    @property
    def note(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Statistic:
    """One number of the analysis.

    ``value`` is the estimate in ``unit``; ``lower`` and ``upper`` are its confidence limits; missing numbers
    are NaN, missing counts ``None``. ``level`` is the category in words, where a row is of one: a level of
    response, a term, a reason. ``qualifier`` is ``<`` or ``>`` where the value is known only as a limit, and
    ``<5`` or ``not shown`` in a shared folder, where there is none.
    ``method`` names the test or estimator with its tie rule, interval transform and seed; ``note`` is prose
    for people, and never parsed.
    """

    id: str
    analysis: str
    variable: str
    group: str
    timepoint: str
    statistic: str
    level: str = ""
    value: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    p_value: float = math.nan
    n: int | None = None
    n_missing: int | None = None
    qualifier: str = ""
    unit: str = ""
    method: str = ""
    note: str = ""


COLUMNS = (
    "id", "analysis", "variable", "level", "group", "timepoint", "statistic",
    "value", "lower", "upper", "p_value", "n", "n_missing", "qualifier", "unit", "method", "note",
)  # fmt: skip


def slug(text: object) -> str:
    """Return ``text`` as a part of an identifier: lower case letters, digits and underscores.

    Letters beyond ASCII become their code points, so that two Chinese terms stay two.

    >>> slug("CR / PR"), slug("发热"), slug("--")
    ('cr_pr', 'u53d1_u70ed', 'none')
    """
    spelled = "".join(
        f"u{ord(sign):x}_" if sign.isalpha() and not sign.isascii() else sign for sign in str(text).lower()
    )
    return re.sub(r"[^a-z0-9]+", "_", spelled).strip("_") or "none"


def statistic_id(analysis: str, variable: str, group: str, timepoint: str, statistic: str) -> str:
    """Join the five parts of an identifier.

    Raises:
        StatisticsStoreError: a part is empty or holds anything but lower case letters, digits, underscores.

    >>> statistic_id("survival", "death", "treated", "day_56", "deaths")
    'survival.death.treated.day_56.deaths'
    >>> statistic_id("survival", "Death!", "treated", "day_56", "deaths")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    helpers.results.store.StatisticsStoreError: variable = 'Death!' cannot be part of a stat...
    """
    parts = (analysis, variable, group, timepoint, statistic)
    for name, part in zip(ID_PARTS, parts, strict=True):
        if not _PART.fullmatch(part):
            raise StatisticsStoreError(
                f"{name} = {part!r} cannot be part of a statistic's identifier; "
                "use lower case letters, digits and underscores"
            )
    return ".".join(parts)


class StatisticsStore:
    """Collects the rows of one notebook and writes them as one csv file.

    Args:
        directory: folder of the cohort's statistics files.
        notebook: the notebook's name; the file is ``<notebook>.csv``.

    >>> import tempfile
    >>> store = StatisticsStore(Path(tempfile.mkdtemp()), "04_survival")
    >>> store.add("survival", "death", "deaths", group="treated", timepoint="day_56", value=1, n=20).id
    'survival.death.treated.day_56.deaths'
    >>> store.write().name, len(store.rows())
    ('04_survival.csv', 1)
    >>> len(Statistics.read(store.path.parent)), store.rows().get("survival.none") is None
    (1, True)
    """

    def __init__(self, directory: Path, notebook: str) -> None:
        self.path = Path(directory) / f"{notebook}.csv"
        self._rows: dict[str, Statistic] = {}

    def __len__(self) -> int:
        """Return the number of rows added so far."""
        return len(self._rows)

    def add(
        self,
        analysis: str,
        variable: str,
        statistic: str,
        *,
        group: str = EVERYBODY,
        timepoint: str = "follow_up",
        result: SupportsResult | None = None,
        value: float | None = None,
        **other: Any,
    ) -> Statistic:
        """Add one row and return it.

        Args:
            analysis, variable, statistic, group, timepoint: the five parts of the identifier; ``group`` is a
                group's id, ``both`` for a comparison, ``all`` for everybody.
            result: a statistical result whose estimate, interval, p-value, sizes and method are taken over.
            value: the number itself, where there is no ``result``, or instead of its estimate.
            other: further columns of the row (``lower``, ``p_value``, ``n``, ``unit``, ``method`` ...).

        Raises:
            StatisticsStoreError: the identifier is malformed or already taken by another row.
        """
        columns: dict[str, Any] = {}
        if result is not None:
            columns = {name: getattr(result, name) for name in (*NUMBERS, *COUNTS, "method", "note")}
        if value is not None:
            columns["value"] = value
        columns |= other
        for name in NUMBERS:
            columns[name] = _number(columns.get(name))
        for name in COUNTS:
            columns[name] = None if columns.get(name) is None else int(columns[name])
        identifier = statistic_id(analysis, variable, group, timepoint, statistic)
        row = Statistic(identifier, analysis, variable, group, timepoint, statistic, **columns)
        if identifier in self._rows:
            raise StatisticsStoreError(f"the statistic {identifier} is already stored by this notebook")
        self._rows[identifier] = row
        return row

    def rows(self) -> Statistics:
        """Return the rows added so far."""
        return Statistics(self._rows.values())

    def write(self) -> Path:
        """Write the rows in the order in which they were added and return the file's path."""
        return write_rows(self.path, self._rows.values())


def write_rows(path: Path, rows: Iterable[Statistic]) -> Path:
    """Write rows as a statistics file, in their order, and return its path."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        [text if name in NUMBERS else harmless(text) for name, text in _texts(row).items()] for row in rows
    )
    write_whole(path, buffer.getvalue().encode())  # other notebooks may be reading the folder
    return path


def _texts(row: Statistic) -> dict[str, str]:
    return {name: stored_text(name, getattr(row, name)) for name in COLUMNS}


class Statistics(Mapping[str, Statistic]):
    """Stored statistics by identifier, in stored order.

    Raises:
        StatisticsStoreError: an identifier stands in two files.

    >>> from helpers.results.catalogue import SurvivalRows
    >>> row = Statistic(
    ...     "survival.death.treated.day_56.deaths",
    ...     "survival",
    ...     "death",
    ...     "treated",
    ...     "day_56",
    ...     "deaths",
    ...     value=1.0,
    ... )
    >>> Statistics([row]).find(SurvivalRows.deaths, "death", group="treated", timepoint="day_56").value
    1.0
    >>> Statistics([]).get("survival.death.all.day_56.deaths") is None
    True
    """

    def __init__(self, rows: Iterable[Statistic]) -> None:
        self._rows: dict[str, Statistic] = {}
        self._of: dict[str, list[Statistic]] = defaultdict(list)
        for row in rows:
            if row.id in self._rows:
                raise StatisticsStoreError(f"the statistic {row.id} is stored twice")
            self._rows[row.id] = row
            self._of[row.analysis].append(row)

    @classmethod
    def read(cls, directory: Path, notebooks: Iterable[str] | None = None) -> Statistics:
        """Read the statistics files of a cohort, in the order of their names.

        Args:
            directory: folder of the cohort's statistics files.
            notebooks: names of the notebooks whose files are read; by default all of them.

        Raises:
            StatisticsStoreError: a named notebook has not written its statistics yet, a file is malformed, or
                an identifier stands in two files.

        >>> import tempfile
        >>> store = StatisticsStore(Path(tempfile.mkdtemp()), "04_survival")
        >>> Statistics.read(store.write().parent).get("survival.death.all.day_56.deaths") is None
        True
        """
        folder = Path(directory)
        if notebooks is None:
            return cls(row for path in sorted(folder.glob("*.csv")) for row in _read_file(path))
        paths = [folder / f"{name}.csv" for name in sorted(set(notebooks))]
        absent = [path.stem for path in paths if not path.is_file()]
        if absent:
            raise StatisticsStoreError(f"no statistics yet of {', '.join(absent)}: run that notebook first")
        return cls(row for path in paths for row in _read_file(path))

    def __getitem__(self, identifier: str) -> Statistic:
        """Return the row with this identifier.

        Raises:
            StatisticsStoreError: there is no such row; close identifiers are named.
        """
        if identifier not in self._rows:
            import difflib

            near = difflib.get_close_matches(identifier, self._rows, n=3)
            hint = f"; near it: {', '.join(near)}" if near else ""
            raise StatisticsStoreError(f"there is no statistic {identifier}{hint}")
        return self._rows[identifier]

    def get(self, identifier: str, default: Any = None) -> Any:
        """Return the row with this identifier, or the default where there is none."""
        return self._rows.get(identifier, default)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the identifiers in stored order."""
        return iter(self._rows)

    def __contains__(self, identifier: object) -> bool:
        """Tell whether an identifier is stored."""
        return identifier in self._rows

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def select(self, what: Key | type[Analysis] | None = None, **parts: str) -> list[Statistic]:
        """Return the rows of a kind or analysis whose parts equal those given, in stored order.

        Example:
            >>> from helpers.results.catalogue import SurvivalRows
            >>> Statistics([]).select(SurvivalRows.deaths, group="treated")
            []
        """
        if isinstance(what, Key):
            parts |= {"analysis": what.analysis, "statistic": what.statistic}
        elif what is not None:
            parts |= {"analysis": what.name}
        analysis = parts.pop("analysis", None)
        rows = self._rows.values() if analysis is None else self._of.get(analysis, ())
        return [row for row in rows if all(getattr(row, k) == v for k, v in parts.items())]

    def find(
        self, key: Key, variable: str, *, group: str = "all", timepoint: str = "follow_up"
    ) -> Statistic | None:
        """Return the row of a kind for a variable, group and time, or None where the cohort has none."""
        return self._rows.get(statistic_id(key.analysis, variable, group, timepoint, key.statistic))


def _number(value: Any) -> float:
    """Return a float; None, NA and NaN are NaN."""
    try:
        return math.nan if value is None else float(value)
    except TypeError:  # pandas.NA
        return math.nan


def stored_text(name: str, item: Any) -> str:
    """Write numbers with 12 significant digits: enough to round anywhere, blind to the last bits.

    Those of a p-value far out in the tail are many times the last bits of its test statistic, which differ
    between processors; nobody prints them, and 6 digits of it are stored.
    """
    if item is None or (isinstance(item, float) and math.isnan(item)):
        return ""
    if not isinstance(item, float):
        return str(item)
    return f"{item:.6g}" if name == "p_value" and item < _TAIL else f"{item:.12g}"


def _read_file(path: Path) -> Iterator[Statistic]:
    with path.open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise StatisticsStoreError(f"{path.name}: found columns {reader.fieldnames}, expected {COLUMNS}")
        for line in reader:
            numbers = {name: float(line[name]) if line[name] else math.nan for name in NUMBERS}
            counts = {name: int(line[name]) if line[name] else None for name in COUNTS}
            texts = {
                name: as_meant(line[name]) for name in COLUMNS if name not in numbers and name not in counts
            }
            yield Statistic(**texts, **numbers, **counts)  # type: ignore[arg-type]
