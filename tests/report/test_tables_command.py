"""compendium tables: what is written for a journal, and what is refused."""

import shutil

import pytest
from typer.testing import CliRunner

from helpers.commands.cli import app
from helpers.commands.tables import write_for_journal
from helpers.errors import CompendiumError
from helpers.project.paths import OUTPUT_VARIABLE
from helpers.report.tables.content import row
from helpers.report.tables.table import Table

COHORT = "rdmas_reconstructed"
docx = pytest.importorskip("docx")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Results with two stored tables in a place of their own."""
    monkeypatch.setenv(OUTPUT_VARIABLE, str(tmp_path))
    tables = tmp_path / "results" / COHORT / "tables"
    for name in ("table_1", "table_2_response"):
        Table(name, "T", ["A", "B"], [row("a", "1")]).save(tables)
    return tables


def write(journal=None, form="docx", wanted=(), cohort=COHORT):
    updated = []
    lines = write_for_journal(cohort, journal, form, wanted, update=lambda: updated.append(True))
    assert updated
    return lines


def test_all_tables_in_one_file_of_the_journal(folder):
    lines = write("lancet")
    assert lines[0] == "2 tables in the manner of lancet:"
    assert "p_digits" in lines[-1]
    assert len(docx.Document(str(folder / "lancet" / "tables.docx")).tables) == 2


@pytest.mark.parametrize("form", ["docx", "tex", "xlsx", "html", "csv"])
def test_named_tables_each_in_a_file(folder, form):
    write(form=form, wanted=["table_1"])
    assert [path.name for path in (folder / "generic").iterdir()] == [f"table_1.{form}"]


def test_the_cohorts_own_journal_is_taken_where_none_is_named(folder):
    write()
    assert (folder / "generic" / "tables.docx").is_file()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"journal": "nejmm"}, "Did you mean 'nejm'"),
        ({"form": "pdf"}, "known are docx, tex, xlsx, html, csv"),
        ({"wanted": ["table_9"]}, "There are: table_1, table_2_response"),
        ({"cohort": "no_such_cohort"}, "no_such_cohort"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(folder, wrong, said):
    with pytest.raises(CompendiumError, match=said):
        write(**wrong)


def test_without_stored_tables_the_command_says_what_to_do(folder):
    shutil.rmtree(folder)
    with pytest.raises(CompendiumError, match="compendium run"):
        write()


def test_the_command_ends_with_status_1_and_no_traceback(folder):
    done = CliRunner().invoke(app, ["tables", "--journal", "nejmm"])
    assert done.exit_code == 1
    assert "Did you mean 'nejm'" in done.output
    assert "Traceback" not in done.output
