"""The problems of cohorts as a page for a browser."""

import html
from collections.abc import Mapping, Sequence

from helpers.problems import Problem, fold_by_cause

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem;color:#1a1a1a;background:#fff}"
    "table{border-collapse:collapse}th,td{border:1px solid #767676;padding:.3rem .5rem;text-align:left;"
    "vertical-align:top}th{background:#eef2f6}.error th{color:#7a1f1f}"
)
_COLUMNS = ("Kind", "Where", "Column", "Found", "Expected", "How to mend it", "Lines")


def check_page(found: Mapping[str, Sequence[Problem]]) -> str:
    """Return the page: a table a cohort, the worst first, one row a cause.

    Args:
        found: problems by cohort.

    >>> "rdmas" in check_page({"rdmas": []})
    True
    """
    parts = [_of_cohort(name, fold_by_cause(problems)) for name, problems in found.items()]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Problems of the data</title>"
        f"<style>{_STYLE}</style></head><body><main><h1>Problems of the data</h1>{''.join(parts)}"
        "</main></body></html>\n"
    )


def _of_cohort(name: str, problems: Sequence[Problem]) -> str:
    head = "".join(f"<th scope='col'>{one}</th>" for one in _COLUMNS)
    rows = "".join(map(_row, problems))
    table = (
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if problems else "<p>None.</p>"
    )
    return f"<h2>{html.escape(name)}</h2>{table}"


def _row(problem: Problem) -> str:
    lines = [problem.row, *problem.more_rows] if problem.row is not None else []
    told = ", ".join(map(str, lines[:20])) + (f" and {len(lines) - 20} more" if len(lines) > 20 else "")
    cells = (problem.file, problem.column, problem.found, problem.expected, problem.remedy, told)
    body = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    return f"<tr class='{problem.severity}'><th scope='row'>{problem.severity}</th>{body}</tr>"
