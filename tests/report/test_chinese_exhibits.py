"""Tables and figures in Chinese: words change, numbers do not, what is left in Latin letters is a name."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import tarfile
import tomllib
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure

from helpers.cohort.config import load_config
from helpers.report.figures.fonts import chinese
from helpers.report.figures.output.language import put_into_language
from helpers.report.figures.style import FONTS
from helpers.report.formats.rendered import shown
from helpers.report.tables.language import in_language
from helpers.report.tables.table import stored_tables
from helpers.report.text.phrases import exhibit_text
from helpers.report.text.rooms import table_room
from helpers.report.text.wording import LANGUAGES, Wording, language_file

ROOT = Path(__file__).parents[2]
COHORT = "rdmas_reconstructed"
TABLES = [
    table for table in stored_tables(ROOT / "results" / COHORT / "tables") if table_room(table) != "report"
]
# Words in small Latin letters that stay: names of methods, and of variables of a settings file.
STAY = {"kappa", "log", "rank", "atanh", "mid", "alpha", "compare_to"}
WORD = re.compile(r"(?<![A-Za-z/_.])[a-z]{3,}(?![/a-z_])")
ZH = Wording.of("zh", load_config(ROOT / "data" / "cohorts" / COHORT))


def printed(table):
    """Every text of a printed table."""
    one = shown(table)
    yield from (
        one.caption,
        one.watermark,
        *(head.text for head in one.heads),
        *(s.text for s in one.spanners),
    )
    for row in one.rows:
        yield from (cell.text for cell in row.cells)
    for _, runs in one.notes:
        yield "".join(run.text for run in runs)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_tables_of_the_documents_have_no_english_word(table):
    told = in_language(table, ZH)
    hidden = {i for i, column in enumerate(table.columns) if column.label.parts == ("Row",)}
    rows = {cell.text for row in shown(told).rows for i, cell in enumerate(row.cells) if i in hidden}
    left = {text for text in printed(told) if text not in rows and set(WORD.findall(text)) - STAY}
    assert left == set()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_numbers_are_those_of_the_english_table(table):
    assert list(in_language(table, ZH).values) == list(table.values)
    digits = [re.sub(r"\D", "", cell.text) for row in shown(table).rows for cell in row.cells]
    told = [re.sub(r"\D", "", cell.text) for row in shown(in_language(table, ZH)).rows for cell in row.cells]
    assert [sorted(text) for text in told] == [sorted(text) for text in digits]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Survival at day 56, Kaplan-Meier (95% CI)", "第56天生存率，Kaplan-Meier法（95% CI）"),
        ("Any event, DEP", "任何事件，DEP"),
        ("Not estimated: dates are not recorded.", "未估计：未记录日期。"),
        (" of ", "/"),
        ("; ", "；"),
        ("a phrase that nobody knows", "a phrase that nobody knows"),
        ("median, a phrase that nobody knows", "median, a phrase that nobody knows"),
        ("12.5", "12.5"),
    ],
)
def test_phrases_patterns_and_what_is_unknown(text, said):
    assert exhibit_text(text, Wording("zh")) == said
    assert exhibit_text(text, Wording("en")) == text


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_patterns_use_the_parts_that_they_have(language):
    for pattern, template in language_file(language, "phrases.toml")["patterns"].items():
        asked = {int(slot) for slot in re.findall(r"\{(\d+)\}", template)}
        assert asked == set(range(1, re.compile(pattern).groups + 1)), pattern


def test_no_phrase_stands_twice():
    text = (ROOT / "src/helpers/report/text/zh/phrases.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)  # TOML itself refuses a key that is repeated


@pytest.mark.filterwarnings("ignore:Glyph")
def test_texts_ticks_and_legends_of_a_figure():
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], label="Median")
    axes.set_xticks([0, 1], ["Week 1", "Fisher, mid-p"])
    axes.set_ylabel("Survival (%)")
    axes.set_title("Weeks since diagnosis of\nrefractory disease")
    axes.text(0, 0, "R01")
    axes.legend()
    put_into_language(figure, ZH)
    figure.draw_without_rendering()
    assert [text.get_text() for text in axes.get_xticklabels()] == ["第1周", "Fisher，mid-p"]
    assert axes.get_ylabel() == "生存率（%）"
    assert axes.get_title().replace("\n", "") == "自确诊难治性疾病起的周数"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["中位数"]
    assert axes.texts[0].get_text() == "R01"
    assert all(
        text.get_text().strip("−").replace(".", "").isdigit()
        for text in axes.get_yticklabels()
        if text.get_text()
    )


@pytest.fixture
def package(tmp_path):
    """An archive like the registry's, with one of the project's own fonts in it."""
    path = tmp_path / "font.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for style in chinese.STYLES.values():
            content = (FONTS / "CompendiumSans-Regular.ttf").read_bytes()
            member = tarfile.TarInfo(f"package/{style}/NotoSansSC_{style}.ttf")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path, base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def test_the_font_is_cut_and_gets_a_name_of_its_own(package, tmp_path):
    path, digest = package
    files = chinese.fetch(path.as_uri(), digest, tmp_path / "fonts")
    assert [file.name for file in files] == ["CompendiumSansSC-Regular.ttf", "CompendiumSansSC-Bold.ttf"]
    font = TTFont(files[0])
    assert font["name"].getDebugName(1) == chinese.FAMILY
    assert set(map(chr, font.getBestCmap())) <= chinese.characters()
    assert files == sorted(files, reverse=True)


def test_another_archive_is_refused_and_nothing_is_written(package, tmp_path):
    path, digest = package
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(chinese.FontFetchError, match="not the archive"):
        chinese.fetch(path.as_uri(), digest, tmp_path / "fonts")
    with pytest.raises(chinese.FontFetchError, match="cannot be fetched"):
        chinese.fetch((tmp_path / "absent.tgz").as_uri(), digest, tmp_path / "fonts")
    assert list((tmp_path / "fonts").glob("*")) == []


def test_the_font_has_every_character_of_the_project():
    texts = "".join(
        file.read_text(encoding="utf-8")
        for file in (ROOT / "src/helpers/report/text/zh").iterdir()
        if file.is_file()
    )
    assert {sign for sign in texts if sign >= "\N{CJK RADICAL REPEAT}"} <= chinese.characters()
    assert len(chinese.characters()) > 6700  # those of GB 2312
