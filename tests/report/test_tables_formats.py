"""One table in every format: the same texts, repeated headings, the same bytes each time."""

import csv
import io
import re
import shutil
import string
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.report.formats.docx import CAPTION, CELL, NOTE, add_table, tables_document
from helpers.report.formats.html import page
from helpers.report.formats.latex import SIGNS, escape, tables_latex
from helpers.report.formats.measure import Page, measure
from helpers.report.formats.rendered import shown
from helpers.report.formats.text import NOTES, lines, to_csv
from helpers.report.formats.xlsx import tables_workbook
from helpers.report.tables.content import column, row
from helpers.report.tables.table import Table

sys.path.insert(0, str(Path(__file__).parent))
from tables_at_hand import AWKWARD, empty_table, full_table, long_table

docx = pytest.importorskip("docx")
openpyxl = pytest.importorskip("openpyxl")


@pytest.fixture
def table(tmp_path):
    return full_table(tmp_path)


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_csv_holds_texts_signs_notes_and_watermark(table):
    found = list(csv.reader(io.StringIO(to_csv(table))))
    assert found[0] == ["", "Group A & B, n (%)", "Group A & B, P value", "Size", NOTES]
    assert found[1] == ["Clinical = characteristics"]
    assert found[2] == ["Sex, female", "17 (85%)", "<0.001", "−0.25", "a"]
    assert found[3] == ["Age, years", "37.3 (18.0–>71.5)", "<0.001", "−0.3 (−0.5 to NE)", "b c a"]
    assert found[4][0] == AWKWARD
    assert found[5:] == [
        ["Median (range)."], ["a: Fisher's exact test."], ["b: Limit of the assay."],
        ["c: Missing in 1 patient."], ["Not patients"],
    ]  # fmt: skip


def test_a_table_comes_back_from_json(table, tmp_path):
    for one in (table, empty_table(), long_table(3)):
        one.save(tmp_path)
        again = Table.from_json(tmp_path / f"{one.name}.json")
        assert again.to_json() == one.to_json()
        assert [lines(again, name) for name in ("generic", "lancet")] == [
            lines(one, name) for name in ("generic", "lancet")
        ]
        assert again.to_html() == one.to_html()


def test_a_row_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="a row has 3 cells, of 2 columns"):
        Table("t", "T", ["A", "B"], [row("a", "b", "c")])


def test_html_escapes_links_and_is_made_once(table, monkeypatch):
    text = table.to_html()
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    assert ">b,c</sup>" in text
    assert 'data-statistic="baseline.sex.treated.baseline.count">17 (85%)</td>' in text
    assert "padding-left: 21px" in text
    assert 'colspan="4"><strong>Clinical = characteristics</strong>' in text
    assert "<strong>Table S4.</strong>" in text
    assert text.count("<tr>") == len(table.rows)
    with monkeypatch.context() as patched:
        patched.setattr("helpers.report.formats.html.rendered", None)
        assert table.to_html() == text
    assert page([table]).count(text) == 1


def word(tables, theme=None):
    return docx.Document(io.BytesIO(tables_document(tables, theme)))


@pytest.mark.parametrize("journal", ["generic", "lancet", "jama"])
def test_word_cells_equal_the_csv(table, journal):
    (found,) = word([table], journal).tables
    one, expected = shown(table, journal), lines(table, journal)
    assert [cell.text for cell in found.rows[0].cells] == ["", "Group A & B", "Group A & B", ""]
    for number, content in enumerate(one.rows):
        cells = [plain(unraised(cell)) for cell in found.rows[number + 2].cells]
        wanted = expected[number + 1]
        assert cells == (wanted[:4] if content.kind == "body" else wanted * 4)
        raised = [run.text for cell in found.rows[number + 2].cells for run in cell.paragraphs[0].runs
                  if run.font.superscript]  # fmt: skip
        if content.kind == "body":
            assert set(",".join(raised).split(",")) - {""} == set(wanted[4].split())


def unraised(cell):
    return "".join(run.text for run in cell.paragraphs[0].runs if not run.font.superscript)


def test_word_repeats_headings_and_splits_no_row(table):
    (found,) = word([table]).tables
    repeated = [bool(line._tr.xpath("./w:trPr/w:tblHeader")) for line in found.rows]
    assert repeated == [True, True, False, False, False, False]
    assert all(line._tr.xpath("./w:trPr/w:cantSplit") for line in found.rows)
    assert found.rows[3].cells[0].paragraphs[0].alignment is None
    assert found.rows[3].cells[1].paragraphs[0].alignment == 1
    assert found.rows[4].cells[0].paragraphs[0].paragraph_format.left_indent.mm == pytest.approx(3.5, abs=0.1)


def test_italics_of_a_journal_reach_every_format(table):
    (found,) = word([table], "jama").tables
    first, second = found.rows[1].cells[2].paragraphs[0].runs
    assert (first.text, first.italic, second.text, second.italic) == ("P", True, " value", None)
    assert "<em>P</em> value" in table.to_html("jama")
    assert r"\textit{P} value" in tables_latex([table], "jama")


def test_a_short_word_table_is_not_broken_and_a_long_one_is():
    def kept(table):
        (found,) = word([table]).tables
        return [bool(line._tr.xpath("./w:tc/w:p/w:pPr/w:keepNext")) for line in found.rows]

    assert all(kept(long_table(10)))
    assert kept(long_table(60))[:1] == [True]
    assert kept(long_table(60))[1:] == [False] * 58 + [True, True]


def test_in_a_dense_document_only_a_short_word_table_is_kept_whole():
    for length, keeps in ((6, True), (12, False)):
        document = docx.Document()
        found = add_table(document, long_table(length), dense=True)
        assert all(bool(line._tr.xpath("./w:tc/w:p/w:pPr/w:keepNext")) == keeps for line in found.rows[1:])


def test_a_space_of_full_width_stands_between_label_and_title():
    document = docx.Document()
    add_table(document, long_table(3), label="表 1\N{IDEOGRAPHIC SPACE}")
    assert document.paragraphs[0].text.startswith("表 1\N{IDEOGRAPHIC SPACE}")


def test_word_captions_and_notes_have_styles_of_their_own(table):
    document = word([table])
    styled = {}
    for paragraph in document.paragraphs:
        styled.setdefault(paragraph.style.name, []).append(plain(paragraph.text))
    assert styled[CAPTION] == ["Table S4. All at once: 100% & more"]
    whole, signed = styled[NOTE]
    assert whole.endswith("  Not patients")
    assert signed == "a Fisher's exact test.  b Limit of the assay.  c Missing in 1 patient."
    assert document.tables[0].rows[2].cells[0].paragraphs[0].style.name == CELL


def test_a_wide_table_lies_on_its_side_and_the_text_after_it_is_upright():
    wide = Table("table_2_wide", "Wide", ["A", *[f"Column number {i}" for i in range(9)]],
                 [row(*["twenty-two characters."] * 10)] * 3)  # fmt: skip
    document = docx.Document()
    document.add_paragraph("before")
    add_table(document, wide, page=Page(160, 247))
    document.add_paragraph("after")
    add_table(document, long_table(3))
    sides = [section.page_width > section.page_height for section in document.sections]
    assert sides == [False, True, False]
    assert measure(shown(wide), 8.5, Page(160, 247)).total == pytest.approx(247, abs=0.1)


def test_nothing_but_the_gaps_is_cut_where_a_table_fits():
    size = measure(shown(long_table(3)), 8.5, Page(200, 300))
    assert not size.landscape
    assert size.total <= 200


def test_chinese_may_be_broken_behind_each_sign():
    label = "糖皮质激素剂量前一周的平均值按体重折算" * 3
    size = measure(shown(Table("t", "T", ["A", "B"], [row(label, "1")])), 8.5, Page(100, 110))
    assert size.total <= 110.1
    assert size.widths[1] > 4  # the other column keeps its room


def test_workbook_holds_numbers_as_numbers_and_no_formula(table):
    book = openpyxl.load_workbook(io.BytesIO(tables_workbook([table, empty_table(), long_table(2)])))
    assert book.sheetnames == ["Table S4", "odd_name", "Table 9"]
    sheet = book["Table S4"]
    assert sheet["A1"].value == "Table S4. All at once: 100% & more"
    # One idea a cell: the group's numbers take five columns, the size four.
    heads = [cell.value for cell in sheet[4]]
    assert heads[1:6] == ["n", "%", "Median", "Min", "Max"]
    assert heads[7:11] == [None, "Estimate", "Lower", "Upper"]
    assert [cell.value for cell in sheet[6]][1:8] == [17, 85, None, None, None, 0.0004, -0.25]
    assert sheet["G6"].number_format == '[<0.001]"<0.001";0.000'
    assert sheet["H6"].number_format == "0.00"
    age = [(cell.value, cell.number_format) for cell in sheet[7]]
    assert age[3:6] == [(37.25, "0.0"), (18, "0.0"), (71.5, '">"0.0')]
    assert [cell.value for cell in sheet[7]][8:11] == [-0.25, -0.5, "NE"]
    assert sheet["L6"].value == "a"
    assert sorted(sheet["L7"].value.split()) == ["a", "b", "c"]
    assert sheet["B8"].value == "=1+1"
    assert sheet["B8"].data_type == "s"
    assert "B8:F8" in {str(one) for one in sheet.merged_cells.ranges}
    assert sheet.print_title_rows == "$1:$4"
    texts = {cell.value for line in sheet for cell in line}
    assert {"Median (range).", "a: Fisher's exact test.", "Not patients"} <= texts


def test_rows_of_several_lines_have_the_height(table):
    long = Table("t", "T", ["A", "B"], [row("word " * 60, "1"), row("short", "2")])
    sheet = openpyxl.load_workbook(io.BytesIO(tables_workbook([long])))["t"]
    assert sheet.row_dimensions[3].height >= 4 * sheet.row_dimensions[4].height


@pytest.mark.parametrize(
    ("text", "written"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("+3 a", "'+3 a"), ("-", "'-"), ("\t=1", "'\t=1"),
     ("-cmd|x", "'-cmd|x"), ("-0.5", "-0.5"), ("+3", "+3"), ("1e-3", "1e-3"),
     ("a=1", "a=1"), ("−0.5", "−0.5"), ("", "")],
)  # fmt: skip
def test_csv_holds_no_formula_and_numbers_stay_numbers(text, written):
    made = Table("t", "T", ["A", "B"], [row("label", text)]).to_csv()
    assert list(csv.reader(io.StringIO(made)))[1] == ["label", written]


def test_lancet_numbers_in_a_workbook_stay_texts(table):
    sheet = openpyxl.load_workbook(io.BytesIO(tables_workbook([table], "lancet")))["Table S4"]
    assert "−0·25" in [cell.value for cell in sheet[6]]
    assert not [cell for line in sheet for cell in line if isinstance(cell.value, int | float)
                and "0" not in cell.number_format]  # fmt: skip


def test_two_tables_of_one_number_get_two_sheets(table):
    assert openpyxl.load_workbook(io.BytesIO(tables_workbook([table, table]))).sheetnames == [
        "Table S4",
        "Table S4 (2)",
    ]


@pytest.mark.parametrize("write", [tables_document, tables_workbook])
def test_office_files_have_the_same_bytes_and_no_date(write, table, monkeypatch):
    first = write([table, long_table(3)])
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert write([table, long_table(3)]) == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT", core)) == {"1980-01-01T"}


# LaTeX: every sign is escaped to something that stands for it alone.
_BACK = {code: sign for sign, code in SIGNS.items()}
_TOKEN = re.compile(
    "|".join(sorted(map(re.escape, _BACK), key=len, reverse=True)) + r"|\\othersign\{([0-9A-F]+)\}\{(.)\}|(.)"
)


def unescape(text):
    signs = []
    for found in _TOKEN.finditer(text):
        code, other, itself = found.groups()
        if other:
            assert ord(other) == int(code, 16)
        signs.append(other or itself or _BACK[found[0]])
    return "".join(signs)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_latex_escapes_can_be_undone(text):
    escaped = escape(text)
    assert unescape(escaped) == text
    bare = re.sub(r"\\othersign\{[0-9A-F]+\}\{.\}", "", escaped)
    for found in _TOKEN.finditer(bare):
        assert found[0] in _BACK or found[0] in string.printable or found[0].isalpha()
    assert not re.search(r"(?<!\\)[%&#$]", bare)


def test_control_characters_become_spaces():
    assert escape("a\nb\tc") == "a b c"


def test_latex_repeats_headings_of_long_tables_only(table):
    text = tables_latex([table, long_table()])
    assert text.count(r"\begin{longtable}") == 1
    assert r"\endhead" in text
    assert text.count(r"\begin{tabular}") == 1
    assert r"\cmidrule(lr){2-3}" in text


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_latex_compiles_and_no_line_is_too_long(table, tmp_path):
    for name in ("generic", "lancet", "jama"):
        (tmp_path / "t.tex").write_text(
            tables_latex([table, empty_table(), long_table()], name), encoding="utf-8"
        )
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False
        )
        assert done.returncode == 0, done.stdout[-2000:]
        assert "Overfull \\hbox" not in done.stdout


def test_a_title_cannot_leave_the_comment():
    assert "\n\\evil" not in tables_latex([empty_table()], title="x\n\\evil")


def test_columns_named_alike_are_kept_apart():
    table = Table(
        "t", "T", [column("A"), column("n", spanner="X"), column("n", spanner="Y")], [row("a", "1", "2")]
    )
    assert ">1</td>" in table.to_html()
    assert lines(table)[0] == ["A", "X, n", "Y, n"]
