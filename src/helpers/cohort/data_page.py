"""The text of `data/README.md`, made from a vocabulary: the project's, or a cohort's with its own words."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from helpers.cohort.reading import DATE_TWINS, REQUIRED_COLUMNS
from helpers.vocabulary.model import DRUG_CLASSES, TABLE_NAMES, ReferenceRange, Variable
from helpers.vocabulary.reading import shipped_vocabulary
from helpers.vocabulary.vocabulary import Vocabulary

README_PATH = Path(__file__).resolve().parents[3] / "data" / "README.md"

_HEAD = """\
# Data

This page is made from the vocabulary by `python -m helpers.cohort.data_page`; a test checks that it is
current. `python -m helpers.cohort.data_page FOLDER` prints the same page for a cohort with words of its
own.

- `cohorts/NAME/`: one folder for each cohort: `cohort.toml` and the raw tables below, as `.csv`, `.xlsx` or
  `.parquet`; and, if it needs them, `variables.csv`, `drugs.csv`, `terms.csv` and `ranges.csv` with words
  and limits of normal of its own ([docs/extending.md](../docs/extending.md)).
- `published/`: the printed figures of publications.
- `src/helpers/vocabulary/*.csv`: the variables, drugs, event terms and limits of normal that come with the
  project, one row each: name, labels, unit, accepted units with their one factor, plausible range, aliases,
  CDISC names, source. Reading, checking, criteria, tables and labels follow them.

Patient data stay where they are collected: only the reconstructed cohort, in which no record is a patient, is
part of this repository.

## Raw tables

`patients` is required. Without another table the analyses that need it are switched off and say so. Columns
are matched by name, alias or CDISC name, case, blanks and hyphens ignored; other names are given in
`cohort.toml`. Days are whole days from day 0 of each patient; days under a CDISC name such as ADY are read
as CDISC counts them, without a day 0. Where a table has dates instead, `day0_date` of the patients turns
them into days; only a column that is called so, or that `cohort.toml` names, is taken for it. An assay's
limit is written before the value, as in `<0.5` or `>1500`.
"""

_PRIOR = """\
Besides these, `prior_NAME` for every drug and class of drugs below says whether it was given before day 0;
it is derived from the treatments where the patients have no such column.
"""

_DRUGS = """\
Any other name is kept as it is written; only an unknown name that looks like a glucocorticoid is asked
about, since it would be missing from the dose.
"""


def data_readme(vocabulary: Vocabulary | None = None) -> str:
    """Return the text of `data/README.md` for a vocabulary; the project's own if left out.

    >>> data_readme().splitlines()[0]
    '# Data'
    """
    words = vocabulary or shipped_vocabulary()
    lines = [_HEAD]
    for table in TABLE_NAMES:
        required = REQUIRED_COLUMNS[table]
        lines += [f"### {table}", ""]
        lines += _head("column", "meaning", "type", "required", "values", "also read as")
        lines += [_column_row(words[name], required) for name in words.columns(table) if not _is_prior(name)]
        lines += ["", _PRIOR] if table == "patients" else [""]
    lines += ["## Measured variables", ""]
    lines += _head(
        "name", "label", "unit", "also accepted (factor)", "plausible", "normal", "also read as", "source"
    )
    lines += [_variable_row(words[name], words) for name in words.measured]
    lines += ["", "## Drugs", "", _DRUGS]
    lines += _head("name", "label", "class", "ATC", "equal to prednisone 5 mg", "also read as")
    lines += [
        _cells(
            drug.name, drug.label, DRUG_CLASSES[drug.drug_class][0], drug.atc,
            "" if drug.prednisone_5_mg is None else f"{drug.prednisone_5_mg:g} mg ({drug.standing})",
            ", ".join(drug.aliases),
        )
        for drug in words.drugs.values()
    ]  # fmt: skip
    lines += ["", "## Event terms", "", "Other terms are kept as they are written.", ""]
    lines += _head("term", "Chinese", "kind", "also read as")
    lines += [
        _cells(term.label, term.label_zh, term.category, ", ".join(term.aliases))
        for term in words.terms.values()
    ]
    return "\n".join(lines) + "\n"


def _is_prior(name: str) -> bool:
    return name.startswith("prior_") and name != "prior_response"


def _head(*cells: str) -> list[str]:
    return [_cells(*cells), "|---" * len(cells) + "|"]


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _aliases(variable: Variable) -> str:
    return ", ".join((*variable.aliases, *variable.cdisc))


def _column_row(variable: Variable, required: Sequence[str]) -> str:
    twin = DATE_TWINS.get(variable.name)
    need = ("yes, or " + twin if twin else "yes") if variable.name in required else ""
    values = ", ".join(dict.fromkeys(variable.levels.values())) or variable.unit
    return _cells(variable.name, variable.label, variable.type, need, values, _aliases(variable))


def _range(low: float | None, high: float | None) -> str:
    left = "" if low is None else f"{low:g}"
    right = "" if high is None else f"{high:g}"
    return f"{left} – {right}".strip() if left or right else ""


def _normal(row: ReferenceRange) -> str:
    age = "" if row.age_from == 0 and np.isinf(row.age_to) else f"age {_range(row.age_from, row.age_to)}"
    who = " ".join(part for part in (row.sex, age.replace("inf", "")) if part)
    return f"{who} {_range(row.low, row.high)}".strip()


def _variable_row(variable: Variable, words: Vocabulary) -> str:
    others = [
        f"{unit} (×{c.factor:.6g}{f' {c.offset:+.6g}' if c.offset else ''})"
        for unit in variable.unit_names[1:]
        if (c := variable.conversion(unit)) is not None
    ]
    return _cells(
        variable.name,
        variable.label,
        variable.unit,
        ", ".join(others),
        ("0, or " if variable.zero else "") + _range(variable.plausible_low, variable.plausible_high),
        "; ".join(map(_normal, words.ranges.get(variable.name, ()))),
        _aliases(variable),
        variable.source,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the project's page, or print that of a cohort's folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", nargs="?", type=Path, help="a cohort's folder; the project's page if left out"
    )
    folder = parser.parse_args(arguments).folder
    if folder is None:
        README_PATH.write_text(data_readme(), encoding="utf-8")
        return
    from helpers.cohort.config import read_config

    print(data_readme(read_config(folder).config.vocabulary))


if __name__ == "__main__":
    main()
