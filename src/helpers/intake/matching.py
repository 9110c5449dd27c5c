"""Source tables and the entries of the mapping that speak of them."""

from collections.abc import Iterator

from helpers.intake.grids import Block
from helpers.intake.identities import Identities
from helpers.intake.mapping import IntakeMapping, TableMap, place_of
from helpers.problems import Problem


def namesakes(pairs: list[tuple[Block, TableMap]], identities: Identities) -> list[Problem]:
    """Rows whose patient cannot be told, because two are called the same and no number stands there."""
    problems = []
    for block, table in pairs:
        known = {column.header: column.means for column in table.columns}
        means = [known.get(name, "") for name in block.names]
        if "link" in means or "id" not in means:
            continue
        place = means.index("id")
        expected, remedy = "a name or number of one patient only", "add the patients' numbers to this table"
        problems += [
            Problem(
                block.grid.place, line, block.names[place], "a name that two patients have", expected, remedy
            )
            for line, row in zip(block.lines, block.rows, strict=True)
            if row[place] in identities.ambiguous
        ]
    return problems


def matched(
    mapping: IntakeMapping, blocks: list[Block]
) -> tuple[list[tuple[Block, TableMap]], list[Problem]]:
    """Return each source table with its entry of the mapping; what has none, or lost columns, is said."""
    pairs: list[tuple[Block, TableMap]] = []
    problems: list[Problem] = []
    for block in blocks:
        names = set(block.names)
        rivals = [
            table
            for table in mapping.tables
            if table.file == block.grid.file
            and (block.grid.sheet in table.sheets or len(table.sheets) > 1 or not table.sheets)
        ]
        best = max(
            rivals, key=lambda t: _alike(t, names) + (block.grid.sheet in t.sheets) / 100, default=None
        )
        if best is None or _alike(best, names) < 0.5:
            found = f"a table that the mapping does not know (columns {', '.join(block.names[:5])})"
            remedy = "run `compendium new` again, which adds it; else it is not used"
            problems.append(_warn(block, block.lines[0] if block.lines else 1, "", found, remedy))
            continue
        pairs.append((block, best))
        for column in best.columns:
            if column.header not in names and column.means not in ("unused", "personal", "link"):
                found, expected = "no such column", f"the column that mapping.toml takes for {column.means}"
                remedy = "put it back, or run `compendium new` again"
                problems.append(Problem(block.grid.place, None, column.header, found, expected, remedy))
        known = {column.header for column in best.columns}
        problems += [
            _warn(
                block,
                None,
                name,
                "a column that the mapping does not know",
                "run `compendium new` again; else it is not used",
            )
            for name in block.names
            if name not in known
        ]
    return pairs, [*problems, *_lost(mapping, pairs)]


def _lost(mapping: IntakeMapping, pairs: list[tuple[Block, TableMap]]) -> Iterator[Problem]:
    """Tables that are gone, and those that have fewer rows than they had."""
    rows: dict[int, int] = {}
    for block, table in pairs:
        rows[id(table)] = rows.get(id(table), 0) + len(block.rows)
    for table in mapping.tables:
        found = rows.get(id(table))
        if found is None and table.kind != "unused":
            expected = f"a table with the columns {', '.join(c.header for c in table.columns[:4])}"
            remedy = "put the file back into the folder source, or run `compendium new` again"
            yield Problem(table.file, None, "", "no such table", expected, remedy)
        elif found is not None and found < table.rows:
            expected = f"at least {table.rows}, as when the mapping was made"
            remedy = "export the file again; if rows were removed on purpose, run `compendium new` again"
            yield Problem(place_of(table), None, "", f"{found} rows", expected, remedy, "warning")


def _warn(block: Block, line: int | None, column: str, found: str, remedy: str) -> Problem:
    return Problem(block.grid.place, line, column, found, "what mapping.toml says", remedy, "warning")


def _alike(table: TableMap, names: set[str]) -> float:
    own = {column.header for column in table.columns}
    return len(own & names) / max(len(own | names), 1)
