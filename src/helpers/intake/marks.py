"""Which mark parts the decimals of a file, and whether its dates begin with the day or with the month."""

import re
from collections.abc import Mapping

from helpers.intake.mapping import SourceFile
from helpers.intake.roles import Look
from helpers.intake.values import date_order_evidence, decimal_evidence, has_year_last


def decide_marks(
    looks: list[Look], answers: Mapping[str, str], notes: Mapping[str, str]
) -> dict[str, SourceFile]:
    """Decide for each file which mark parts decimals and whether the day or the month comes first."""
    files: dict[str, SourceFile] = {}
    for name in dict.fromkeys(look.block.grid.file for look in looks):
        cells = [
            cell
            for look in looks
            if look.block.grid.file == name
            for c in look.contents
            for cell in c.distinct
        ]
        mark, proof = decimal_evidence(cells)
        order, date_proof = date_order_evidence(cells)
        semicolons = "semicolon" in notes.get(name, "")
        decimal = answers.get(f"decimal.{name}", mark or ("," if semicolons and _unclear(cells) else ""))
        told = [notes.get(name, "")]
        told += [f"decimals by {proof!r}"] if proof else []
        told += [f"dates by {date_proof!r}"] if date_proof else []
        files[name] = SourceFile(
            name=name,
            encoding=answers.get(f"encoding.{name}", ""),
            separator=answers.get(f"separator.{name}", ""),
            decimal="," if decimal in (",", "comma") else "." if decimal in (".", "point") else "",
            date_order=_order(answers.get(f"date_order.{name}", answers.get("date_order", order or ""))),
            evidence="; ".join(filter(None, told)),
        )
    return files


def _order(text: str) -> str:
    return text if text in ("dmy", "mdy") else ""


def _unclear(cells: list[str]) -> bool:
    return any(re.fullmatch(r"[<>]?\d{1,3},\d{3}", cell) for cell in cells)


def needs_decimal(file: SourceFile, looks: list[Look]) -> str:
    """Return a number of a file that may be read in two ways; empty if there is none."""
    if file.decimal:
        return ""
    own = [look for look in looks if look.block.grid.file == file.name]
    cells = (
        c
        for look in own
        for n, col in enumerate(look.columns)
        if col.means != "unused"
        for c in look.contents[n].distinct
    )
    return next((cell for cell in cells if re.fullmatch(r"[<>]?\d{1,3}[,.]\d{3}", cell) and "," in cell), "")


def needs_order(file: SourceFile, looks: list[Look]) -> bool:
    """Return whether dates of a file may be read in two ways."""
    own = [look for look in looks if look.block.grid.file == file.name]
    return not file.date_order and any(
        has_year_last(cell for cell in look.contents[n].distinct if "." not in cell)
        for look in own
        for n, column in enumerate(look.columns)
        if "date" in column.means
    )
