r"""Tables for LaTeX, with booktabs; pdfLaTeX, XeLaTeX and LuaLaTeX set them.

>>> from helpers.report.tables.content import TableContent
>>> escape("5% & more")
'5\\% \\& more'
>>> table = TableContent("table_2_response", "Response", ["", "Treated"], [["CR", "6 (30%)"]])
>>> r"\toprule" in to_latex(table), tables_latex([table]).splitlines()[0][:14]
(True, '% Tables of ta')
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType

from helpers.report.formats.measure import INDENT_MM, Measure, measure, unbroken
from helpers.report.formats.rendered import Shown, ShownRow, shown
from helpers.report.journals.table_themes import Run, Theme
from helpers.report.tables.content import TableContent

TEXT_POINTS, NOTE_POINTS = 8, 7
_GAP_MM = 1.4  # on each side of a column's text
_LONG = {False: 42, True: 24}  # rows that a page holds, upright and on its side

# What LaTeX reads otherwise than as itself, and signs that its fonts have under a name only. Quotes, commas,
# hyphens and angle brackets would join with their like into other signs.
SIGNS = MappingProxyType({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}", "-": r"-{}", ",": r",{}", "*": r"\textasteriskcentered{}",
    "[": r"{[}", "]": r"{]}",
    "\N{NO-BREAK SPACE}": "~", "\N{EN DASH}": r"\textendash{}", "\N{EM DASH}": r"\textemdash{}",
    "\N{MINUS SIGN}": r"\ensuremath{-}", "\N{MULTIPLICATION SIGN}": r"\ensuremath{\times}",
    "\N{GREATER-THAN OR EQUAL TO}": r"\ensuremath{\geq}", "\N{LESS-THAN OR EQUAL TO}": r"\ensuremath{\leq}",
    "\N{NOT EQUAL TO}": r"\ensuremath{\neq}", "\N{ALMOST EQUAL TO}": r"\ensuremath{\approx}",
    "\N{PLUS-MINUS SIGN}": r"\ensuremath{\pm}", "\N{INFINITY}": r"\ensuremath{\infty}",
    "\N{MIDDLE DOT}": r"\textperiodcentered{}", "\N{DEGREE SIGN}": r"\textdegree{}",
    "\N{MICRO SIGN}": r"\textmu{}", "\N{DAGGER}": r"\textdagger{}", "\N{DOUBLE DAGGER}": r"\textdaggerdbl{}",
    "\N{SECTION SIGN}": r"\textsection{}", "\N{PILCROW SIGN}": r"\textparagraph{}",
    "\N{DOUBLE VERTICAL LINE}": r"\textbardbl{}", "\N{RIGHTWARDS ARROW}": r"\ensuremath{\rightarrow}",
    "\N{LEFT SINGLE QUOTATION MARK}": r"\textquoteleft{}", "\N{BULLET}": r"\textbullet{}",
    "\N{RIGHT SINGLE QUOTATION MARK}": r"\textquoteright{}", "\N{HORIZONTAL ELLIPSIS}": r"\textellipsis{}",
    "\N{LEFT DOUBLE QUOTATION MARK}": r"\textquotedblleft{}", "\N{NARROW NO-BREAK SPACE}": r"\,",
    "\N{RIGHT DOUBLE QUOTATION MARK}": r"\textquotedblright{}",
    **{sign: rf"\ensuremath{{\{name}}}" for sign, name in zip(
        "αβγδκμχΔ", ("alpha", "beta", "gamma", "delta", "kappa", "mu", "chi", "Delta"), strict=True)},
    **{raised: rf"\textsuperscript{{{digit}}}" for digit, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    "\N{SUPERSCRIPT MINUS}": r"\textsuperscript{\ensuremath{-}}",
})  # fmt: skip

_PREAMBLE = r"""% Tables of {title}; pdfLaTeX sets them, and XeLaTeX or LuaLaTeX where other scripts occur.
\documentclass[10pt]{article}
\usepackage[a4paper,margin=25mm]{geometry}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[T1]{fontenc}
  \usepackage{textcomp}
  \IfFileExists{tgheros.sty}{\usepackage{tgheros}}{\usepackage{helvet}}
  \renewcommand{\familydefault}{\sfdefault}
  % A sign that the fonts of pdfLaTeX lack stands as its number.
  \newcommand{\othersign}[2]{{\footnotesize[U+#1]}}
\else
  \usepackage{fontspec}
  \newcommand{\othersign}[2]{#2}
\fi
\usepackage{array,booktabs,longtable,pdflscape}
\setlength{\parindent}{0pt}
\setlength{\LTleft}{0pt}
\setlength{\LTpre}{0pt}
\setlength{\LTpost}{0pt}
\begin{document}
"""


def escape(text: str) -> str:
    """Return a text as LaTeX sets it; line breaks and control characters become spaces."""
    return "".join(map(_sign, text))


def _sign(sign: str) -> str:
    if sign in SIGNS:
        return SIGNS[sign]
    if sign.isascii() or sign in _LATIN:
        return sign if sign.isprintable() else " "
    return rf"\othersign{{{ord(sign):04X}}}{{{sign}}}"


# Letters that pdfLaTeX's T1 fonts have.
_LATIN = frozenset("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ"
                   "ĂăĄąĆćČčĎďĘęĚěĞğĹĺŁłŃńŇňŐőŒœŔŕŘřŚśŞşŠšŢţŤťŮůŰűŸŹźŻżŽž")  # fmt: skip


def to_latex(table: TableContent, theme: Theme | str | None = None) -> str:
    r"""Return one table for a document of one's own, which needs the packages of :func:`tables_latex`.

    A table that does not fit on a page runs over several with its headings repeated (longtable); one that is
    too wide lies on its side.
    """
    one = shown(table, theme)
    size = measure(one, TEXT_POINTS)
    long = len(one.rows) > _LONG[size.landscape]
    body = _long(one, size) if long else _short(one, size)
    notes = _notes(one)
    look = f"\\setlength{{\\tabcolsep}}{{{_GAP_MM}mm}}\\fontsize{{{TEXT_POINTS}}}{{10}}\\selectfont"
    text = f"{{{look}\n{body}}}\n{notes}"
    if size.landscape:
        return f"\\begin{{landscape}}\n{text}\\end{{landscape}}\n"
    return text if long else f"\\begin{{minipage}}{{\\linewidth}}\n{text}\\end{{minipage}}\n"


def tables_latex(
    tables: Iterable[TableContent], theme: Theme | str | None = None, *, title: str = "tables"
) -> str:
    """Return a document of these tables, each on a page of its own, that compiles as it is."""
    # No command of the title must end the comment in which it stands.
    start = _PREAMBLE.replace("{title}", " ".join(title.split()))
    pages = "\\clearpage\n".join(to_latex(table, theme) for table in tables)
    return f"{start}{pages}\\end{{document}}\n"


def _caption(one: Shown) -> str:
    label = f"\\textbf{{{escape(one.label)}.}} " if one.label else ""
    return label + escape(one.title)


def _columns(one: Shown, size: Measure) -> str:
    sides = {True: r"\raggedright", False: r"\centering"}
    specs = [
        f">{{{sides[left]}\\arraybackslash}}p{{{width - 2 * _GAP_MM:.2f}mm}}"
        for left, width in zip(one.left, size.widths, strict=True)
    ]
    return "".join(specs)


def _short(one: Shown, size: Measure) -> str:
    lines = [
        f"{_caption(one)}\\par\\vspace{{4pt}}",
        f"\\begin{{tabular}}{{{_columns(one, size)}}}",
        *_heads(one),
    ]
    lines += [*(_row(row, one, size) for row in one.rows), r"\bottomrule", r"\end{tabular}\par"]
    return "\n".join(lines) + "\n"


def _long(one: Shown, size: Measure) -> str:
    heads, width = _heads(one), len(one.heads)
    again = f"\\multicolumn{{{width}}}{{l}}{{{escape(one.label)}, continued}}\\\\"
    lines = [
        f"{_caption(one)}\\par\\vspace{{4pt}}", f"\\begin{{longtable}}{{{_columns(one, size)}}}",
        *heads, r"\endfirsthead", again, *heads, r"\endhead", r"\bottomrule", r"\endfoot",
        *(_row(row, one, size) for row in one.rows), r"\end{longtable}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _heads(one: Shown) -> list[str]:
    lines = [r"\toprule"]
    if one.spanners:
        cells = [f"\\multicolumn{{{s.width}}}{{c}}{{\\textbf{{{escape(s.text)}}}}}" for s in one.spanners]
        lines.append(" & ".join(cells) + r" \\")
        named = [s for s in one.spanners if s.text]
        lines.append("".join(f"\\cmidrule(lr){{{s.start + 1}-{s.start + s.width}}}" for s in named))
    heads = [_bold(_runs(head.all_runs)) for head in one.heads]
    return [*lines, " & ".join(heads) + r" \\", r"\midrule"]


def _row(row: ShownRow, one: Shown, size: Measure) -> str:
    texts = [_runs(cell.all_runs) for cell in row.cells]
    if row.kind == "body":
        if row.level:
            texts[0] = f"\\leftskip={INDENT_MM * row.level:.1f}mm\\relax {texts[0]}"
        return " & ".join(texts) + r" \\"
    text = _bold(texts[0]) if row.kind == "heading" else texts[0]
    room = size.total - 2 * _GAP_MM
    whole = f"\\multicolumn{{{len(one.heads)}}}{{p{{{room:.2f}mm}}}}{{\\raggedright {text}}}"
    return whole + (r" \\*" if row.kind == "heading" else r" \\")


def _notes(one: Shown) -> str:
    lines = [
        (f"\\textsuperscript{{{escape(sign)}}} " if sign else "") + _runs(runs) for sign, runs in one.notes
    ]
    lines += [_bold(escape(one.watermark))] if one.watermark else []
    look = f"\\fontsize{{{NOTE_POINTS}}}{{9}}\\selectfont\\raggedright\\vspace{{3pt}}"
    return f"{{{look}\n" + "\n".join(f"{line}\\par" for line in lines) + "\n}\n"


def _bold(text: str) -> str:
    return f"\\textbf{{{text}}}" if text else ""


def _runs(runs: Sequence[Run]) -> str:
    pieces = []
    for run in unbroken(runs):
        text = escape(run.text)
        text = f"\\textit{{{text}}}" if run.italic else text
        pieces.append(f"\\textsuperscript{{{text}}}" if run.raised else text)
    return "".join(pieces)
