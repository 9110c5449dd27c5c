"""The mapping as a page for a browser: questions and examples of values, answered without a network."""

import html
import json
from pathlib import Path

from helpers.intake.identities import Identities
from helpers.intake.mapping import Column, IntakeMapping, Question, TableMap, place_of
from helpers.intake.matching import matched
from helpers.intake.personal import Scrubber, masked
from helpers.intake.sources import Sources
from helpers.results.files import write_whole

PAGE_FILE = "mapping.html"

_EXAMPLES = 4
_PRIVATE = ("personal", "link", "birth_date", "id")
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
body{color:#1a1a1a;background:#fff}
input{width:24rem;max-width:100%}select{max-width:100%}td input{width:16rem}fieldset{min-width:0}
h1,h2,p,legend,code{overflow-wrap:anywhere}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{border:1px solid #767676;padding:.3rem .5rem;text-align:left;vertical-align:top}th{background:#eef2f6}
fieldset{border:1px solid #767676;margin:0 0 1rem;padding:.7rem 1rem}legend{font-weight:600}
input,select,button{font:inherit;padding:.3rem .5rem}button{margin-top:1rem}
.why{color:#444;margin:.2rem 0}.scroll{overflow-x:auto}.left-out{color:#7a1f1f;white-space:nowrap}
"""
_SCRIPT = """
document.getElementById('save').addEventListener('click', function () {
  var answers = {};
  document.querySelectorAll('[data-key]').forEach(function (field) {
    if (field.value && field.value !== field.dataset.before) { answers[field.dataset.key] = field.value; }
  });
  var file = new Blob([JSON.stringify({answers: answers}, null, 1)], {type: 'application/json'});
  var link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = 'answers.json';
  link.click();
  document.getElementById('saved').textContent =
    Object.keys(answers).length + ' answers saved as answers.json';
});
"""


def write_page(path: Path, name: str, mapping: IntakeMapping, sources: Sources) -> None:
    """Write the page of a mapping.

    Args:
        path: the file.
        name: of the cohort.
        mapping: with the questions that are open.
        sources: tables of the files, for examples; personal data are shown by their form only.
    """
    examples = _examples(mapping, sources)
    told = (
        "<p>What the files were taken for. Answer what is open, correct what is wrong, save, and give the "
        f"file to the command: <code>compendium new {_safe(name)} --answers answers.json</code></p>"
    )
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>Mapping of {_safe(name)}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>Mapping of {_safe(name)}</h1>",
        told,
        "<form onsubmit='return false'>",
        f"<h2>Open questions ({len(mapping.questions)})</h2>",
        *(_question(one, place) for place, one in enumerate(mapping.questions)),
        *([] if mapping.questions else ["<p>None.</p>"]),
        *(_table(table, place, examples) for place, table in enumerate(mapping.tables)),
        "<button type='button' id='save'>Save the answers</button> <span id='saved' role='status'></span>",
        f"</form></main><script>{_SCRIPT}</script></body></html>",
    ]
    write_whole(path, ("\n".join(parts) + "\n").encode())


def read_answers(path: Path) -> dict[str, str]:
    """Return the answers that the page saved; ValueError if the file is none of its making."""
    told = json.loads(path.read_text(encoding="utf-8"))
    answers = told.get("answers") if isinstance(told, dict) else None
    if not isinstance(answers, dict):
        raise ValueError("no answers")
    return {str(key): str(value) for key, value in answers.items()}


def _safe(text: str) -> str:
    return html.escape(text, quote=True)


def _question(question: Question, place: int) -> str:
    name = f"q{place}"
    key = f"id='{name}' data-key='{_safe(question.key)}' data-before=''"
    closed = bool(question.options) and question.proposed in ("", *question.options)
    if closed:
        chosen = [_option(option, selected=option == question.proposed) for option in question.options]
        field = f"<select {key}><option value=''></option>{''.join(chosen)}</select>"
    else:
        field = f"<input {key} value='{_safe(question.proposed)}'>"
    why = f"<p class='why'>{_safe(question.evidence)}</p>" if question.evidence else ""
    label = f"<label for='{name}'>{_safe(question.text)}</label>"
    return f"<fieldset><legend>{_safe(question.key)}</legend>{label}<br>{field}{why}</fieldset>"


def _option(text: str, *, selected: bool) -> str:
    return f"<option{' selected' if selected else ''}>{_safe(text)}</option>"


def _table(table: TableMap, place: int, examples: dict[tuple[int, str], list[str]]) -> str:
    rows = [
        _row(column, f"c{place}_{n}", examples.get((id(table), column.header), []))
        for n, column in enumerate(table.columns)
    ]
    head = "".join(f"<th scope='col'>{one}</th>" for one in ("Column", "Means", "Examples", "Score", "Why"))
    return (
        f"<h2>{_safe(place_of(table))}: {_safe(table.kind)}</h2><p class='why'>{_safe(table.evidence)}</p>"
        f"<div class='scroll' tabindex='0' role='region' aria-label='{_safe(place_of(table))} {place + 1}'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _row(column: Column, name: str, examples: list[str]) -> str:
    means = _safe(column.means)
    field = (
        f"<input id='{name}' aria-label='meaning of {_safe(column.header)}' value='{means}' "
        f"data-before='{means}' data-key='column.{_safe(column.header)}'>"
    )
    detail = ", ".join(filter(None, (f"day {column.day}" if column.day is not None else "", column.unit)))
    left_out = column.means in _PRIVATE and column.means != "id"
    score = "" if column.means == "unused" else f"{column.score:.2f}"
    note = " <span class='left-out'>left out</span>" if left_out else ""
    cells = [f"{field}{note}<br>{_safe(detail)}", _safe("; ".join(examples)), score]
    shown = "".join(f"<td>{cell}</td>" for cell in (*cells, _safe(column.evidence)))
    return f"<tr><th scope='row'>{_safe(column.header)}</th>{shown}</tr>"


def _examples(mapping: IntakeMapping, sources: Sources) -> dict[tuple[int, str], list[str]]:
    found: dict[tuple[int, str], list[str]] = {}
    pairs = matched(mapping, sources.blocks)[0]
    identities = Identities(replaced=mapping.new_ids)
    identities.link(pairs)
    scrub = Scrubber(identities.names)
    for block, table in pairs:
        for place, header in enumerate(block.names):
            column = table.of(header)
            cells = list(dict.fromkeys(cell for cell in block.column(place) if cell))[:_EXAMPLES]
            private = column is None or (
                column.means in _PRIVATE and (column.means != "id" or mapping.new_ids)
            )
            # Columns that are not used may hold anything, names among it.
            hidden = private or (column is not None and column.means == "unused")
            shown = [
                masked(cell) if hidden else scrub.clean(cell.removesuffix(" 00:00:00")) for cell in cells
            ]
            found.setdefault((id(table), header), list(dict.fromkeys(shown)))
    return found
