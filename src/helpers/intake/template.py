"""An empty workbook to fill in, made from the vocabulary: a sheet a table, drop-downs and notes.

>>> import tempfile
>>> from helpers.vocabulary.reading import shipped_vocabulary
>>> path = Path(tempfile.mkdtemp(), "template.xlsx")
>>> write_template(path)
>>> path.stat().st_size > 5000, choices_of(shipped_vocabulary().get("sex"), shipped_vocabulary())
(True, ('female', 'male'))
"""

from pathlib import Path

from helpers.vocabulary.model import TABLE_NAMES, TableName, Variable
from helpers.vocabulary.reading import shipped_vocabulary
from helpers.vocabulary.vocabulary import Vocabulary

_ROWS = 2000
_LONGEST_LIST = 255  # signs of a drop-down's list that spreadsheets accept in the cell itself
_LISTS = "Lists"
_WIDTHS = {"date": 14, "number": 11, "day": 11}
# What a small study needs; every other column of the vocabulary may be added by its name.
_COLUMNS: dict[TableName, tuple[str, ...]] = {
    "patients": (
        "patient_id", "group", "age", "sex", "diagnosis", "weight_kg", "day0_date", "last_contact_date",
        "death_date", "cause_of_death", "fever", "splenomegaly", "hepatomegaly", "hemophagocytosis",
    ),
    "measurements": ("patient_id", "date", "variable", "value", "unit", "reference_low", "reference_high"),
    "treatments": (
        "patient_id", "drug", "start_date", "stop_date", "dose", "unit", "route", "times_per_day",
        "stop_reason",
    ),
    "responses": ("patient_id", "date", "response"),
    "events": ("patient_id", "date", "term", "grade", "serious", "related", "stop_date", "outcome"),
}  # fmt: skip
_NOTES = {
    "patient_id": "One number of the study for each patient, such as R01. No names and no hospital numbers.",
    "group": "Treated or Control; write the names of your groups, the same in every row.",
    "value": "As the laboratory wrote it: 12.5, >1500, <0.5. Empty if it was not done.",
    "day0_date": "The day from which days are counted; say in the answers what it is in each group.",
    "stop_date": "Last day. Empty while it goes on.",
    "death_date": "Empty if the patient lives.",
    "times_per_day": "1, 2, 0.5 for every other day; or qd, bid, tid, q8h, qod.",
}


def write_template(path: Path) -> None:
    """Write the workbook; the same vocabulary gives the same cells.

    Args:
        path: the file, ending in .xlsx.
    """
    from openpyxl import Workbook  # type: ignore[import-untyped]
    from openpyxl.comments import Comment  # type: ignore[import-untyped]
    from openpyxl.styles import Font, PatternFill  # type: ignore[import-untyped]
    from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]
    from openpyxl.worksheet.datavalidation import DataValidation  # type: ignore[import-untyped]

    vocabulary = shipped_vocabulary()
    book = Workbook()
    lists = book.active
    lists.title = _LISTS
    listed: dict[tuple[str, ...], str] = {}
    for table in TABLE_NAMES:
        sheet = book.create_sheet(table)
        for place, name in enumerate(_COLUMNS[table], start=1):
            variable, letter = vocabulary[name], get_column_letter(place)
            cell = sheet.cell(1, place, name)
            cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="DDE7F0")
            cell.comment = Comment(_note(variable), "compendium", height=140, width=320)
            sheet.column_dimensions[letter].width = _WIDTHS.get(variable.type, max(14, len(name) + 3))
            if variable.type == "date":
                for row in range(2, 202):
                    sheet.cell(row, place).number_format = "yyyy-mm-dd"
            choices = choices_of(variable, vocabulary)
            if choices:
                strict = variable.type in ("category", "yes_no") and name != "diagnosis"
                rule = DataValidation(
                    type="list", formula1=_formula(choices, lists, listed), allow_blank=True
                )
                rule.showErrorMessage, rule.error = strict, "Choose one of the list."
                rule.add(f"{letter}2:{letter}{_ROWS}")
                sheet.add_data_validation(rule)
        sheet.freeze_panes = "B2"
    lists.sheet_state = "veryHidden"
    book.active = 1
    book.save(path)


def choices_of(variable: Variable, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return what a column offers in its drop-down; empty if anything may stand there."""
    if variable.name == "variable":
        return vocabulary.measured
    if variable.name == "drug":
        return tuple(drug.name for drug in vocabulary.drugs.values())
    if variable.name == "term":
        return tuple(term.label for term in vocabulary.terms.values())
    if variable.type == "yes_no":
        return ("yes", "no")
    return tuple(dict.fromkeys(variable.levels.values())) if variable.type == "category" else ()


def _note(variable: Variable) -> str:
    told = _NOTES.get(variable.name, "")
    unit = f" In {variable.unit}." if variable.unit not in ("", "1") else ""
    both = " / ".join(filter(None, (variable.label, variable.label_zh)))
    return f"{both}.{unit} {told}".strip()


def _formula(choices: tuple[str, ...], lists: object, listed: dict[tuple[str, ...], str]) -> str:
    """Return the source of a drop-down: the list itself, or cells of a hidden sheet where it is long."""
    joined = ",".join(choices)
    if len(joined) <= _LONGEST_LIST and not any("," in choice for choice in choices):
        return f'"{joined}"'
    if choices not in listed:
        from openpyxl.utils import get_column_letter

        place = len(listed) + 1
        for row, choice in enumerate(choices, start=1):
            lists.cell(row, place, choice)  # type: ignore[attr-defined]
        letter = get_column_letter(place)
        listed[choices] = f"'{_LISTS}'!${letter}$1:${letter}${len(choices)}"
    return listed[choices]
