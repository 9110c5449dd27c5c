"""A folder of results that somebody sent: what of it is missing, changed, stale, of other data, or a lie."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from command import ROOT, compendium

NAME = "rdmas_reconstructed"


@pytest.fixture
def sent(made, tmp_path):
    """A copy of it, as somebody sends it: without what the run remembers."""
    for part in ("results", "figures"):
        shutil.copytree(made / part, tmp_path / "sent" / part)
    return tmp_path / "sent"


def results(sent: Path) -> Path:
    return sent / "results" / NAME


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def rewrite(sent: Path, change) -> None:
    """Change the record of provenance."""
    path = results(sent) / "provenance.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")


def forge(sent: Path, place: str, old: str, new: str) -> None:
    """Change a file and the record with it."""
    path = results(sent) / place
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    rewrite(sent, lambda record: record["products"].update({place: digest(path)}))


def verified(sent: Path, *more: object) -> tuple[int, str]:
    done = compendium("verify", sent, *more)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def state(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in folder.rglob("*")}


def test_an_untouched_copy_is_as_recorded_and_nothing_is_written(sent):
    before = state(sent)
    status, said = verified(sent)
    assert status == 0, said
    assert f"{NAME}: 273 files as recorded" in said
    assert state(sent) == before


def test_what_is_missing_changed_or_unknown_is_named(sent):
    (results(sent) / "tables" / "table_1.csv").unlink()
    (results(sent) / "report.html").write_text("<p>Everybody lived.</p>", encoding="utf-8")
    (results(sent) / "data" / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    shutil.copy(results(sent) / "manuscript.docx", results(sent) / "manuscript.zh.docx")
    (results(sent) / "tables" / "lancet").mkdir()
    shutil.copy(results(sent) / "tables" / "table_2_response.csv", results(sent) / "tables" / "lancet")
    (results(sent) / "statistics_ard.csv").write_text("group1\n", encoding="utf-8")
    (results(sent) / "tables" / "lancet" / "macro.docm").write_text("", encoding="utf-8")
    status, said = verified(sent)
    assert status == 1
    assert "tables/table_1.csv: missing" in said
    assert "report.html: changed: edited by hand" in said
    assert "data/model.pkl: not recorded" in said
    for place in ("manuscript.zh.docx", "tables/lancet/table_2_response.csv", "statistics_ard.csv"):
        assert f"{place} was made beside the run" in said
    assert "tables/lancet/macro.docm: not recorded" in said
    assert said.count(": changed: ") == 1


def test_links_are_named_and_not_followed(sent, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("name\n", encoding="utf-8")
    table = results(sent) / "tables" / "table_1.csv"
    (outside / "table_1.csv").write_bytes(table.read_bytes())
    table.unlink()
    table.symlink_to(outside / "table_1.csv")
    (results(sent) / "more").symlink_to(outside)
    os.mkfifo(results(sent) / "tables" / "waiting.csv")
    os.mkfifo(results(sent) / "statistics" / "waiting.csv")  # to read it would be to wait for ever
    (results(sent) / "statistics" / "linked.csv").symlink_to(outside / "secret.csv")
    status, said = verified(sent)
    assert status == 1
    for place in (
        "tables/table_1.csv",
        "more",
        "tables/waiting.csv",
        "statistics/waiting.csv",
        "statistics/linked.csv",
    ):
        assert f"{place}: link" in said
    assert "secret" not in said


def test_a_folder_of_figures_that_is_a_link_is_none(sent, tmp_path):
    figures = sent / "figures" / NAME
    figures.rename(tmp_path / "figures_elsewhere")
    figures.symlink_to(tmp_path / "figures_elsewhere")
    status, said = verified(sent)
    assert status == 1
    assert f"figures: missing: no folder figures/{NAME}" in said


def test_numbers_are_not_compared_with_statistics_that_were_changed(sent):
    path = results(sent) / "statistics" / "04_survival.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",0.95,", ",0.99,"), encoding="utf-8")
    status, said = verified(sent)
    assert status == 1
    assert "statistics/04_survival.csv: changed" in said
    assert "the numbers of tables were not compared" in said
    assert "contradiction" not in said


def test_results_of_other_data_are_named_file_by_file(sent, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(ROOT / "data" / "cohorts" / NAME, data)
    assert verified(sent, "--data", data)[0] == 0
    (data / "patients.csv").write_bytes((data / "patients.csv").read_bytes() + b"\n")
    (data / "events.csv").unlink()
    (data / "drugs.csv").write_text("name\n", encoding="utf-8")
    status, said = verified(sent, "--data", data)
    assert status == 1
    assert "patients.csv: other data: edited since" in said
    assert "events.csv: other data: the results were made from it" in said
    assert "drugs.csv: other data: it was not there" in said


def test_an_unfinished_run_is_stale(sent):
    table = "tables/table_4_survival.csv"

    def unfinished(record):
        record["missing_steps"], record["complete"] = ["04_survival"], False
        record["stale"] = {table: record["products"].pop(table)}

    rewrite(sent, unfinished)
    status, said = verified(sent)
    assert status == 1
    assert "04_survival: stale: this step failed or did not run" in said
    assert f"{table}: stale" in said


class TestARecordThatLies:
    def test_numbers_of_tables_are_those_of_the_statistics(self, sent):
        row = "survival.death.ruxolitinib.day_56.survival,survival,death,,ruxolitinib,day_56,survival,"
        forge(sent, "statistics/04_survival.csv", f"{row}0.95", f"{row}0.99")
        status, said = verified(sent)
        assert status == 1
        assert "table_4_survival.json: contradiction: shows 0.95" in said

    def test_a_table_with_another_number(self, sent):
        stored = json.loads((results(sent) / "tables" / "table_1.json").read_text(encoding="utf-8"))
        text = json.dumps(stored)
        place = text.index('"numbers"')
        number = text[text.index("[", place) + 1 : text.index(",", text.index("[", place))]
        path = results(sent) / "tables" / "table_1.json"
        path.write_text(text.replace(f"[{number},", "[987.0,", 1), encoding="utf-8")
        rewrite(sent, lambda record: record["products"].update({"tables/table_1.json": digest(path)}))
        status, said = verified(sent)
        assert status == 1
        assert "tables/table_1.json: contradiction: shows 987" in said

    def test_a_notebook_with_other_code(self, sent):
        forge(sent, "notebooks/04_survival.ipynb", "study.show(", "study.show( ")
        status, said = verified(sent)
        assert status == 1
        assert "notebooks/04_survival.ipynb: contradiction: 1 of its cells" in said

    def test_code_and_vocabulary_of_another_version(self, sent):
        rewrite(sent, lambda record: record.update(helpers="0" * 64))
        status, said = verified(sent)
        assert status == 1
        assert "the package: other code" in said

    @pytest.mark.parametrize("place", ["../outside.csv", "/etc/passwd", "tables/../../x", "C:/x", "a\\b", ""])
    def test_places_outside_the_folder_are_refused(self, sent, place):
        rewrite(sent, lambda record: record["products"].update({place: "0" * 64}))
        status, said = verified(sent)
        assert status == 1
        assert "no record of provenance" in said
        assert "no place inside the folder" in said

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "not JSON"),
            ("[" * 100_000, "not JSON"),
            ("[]", "the whole"),
            ('{"record_version": 9}', "it is of version 9"),
            ('{"record_version": 2, "cohort": "../../x"}', "cohort"),
        ],
    )
    def test_what_is_no_record_is_refused_in_words(self, sent, text, reason):
        (results(sent) / "provenance.json").write_text(text, encoding="utf-8")
        status, said = verified(sent)
        assert status == 1
        assert reason in said


def test_a_folder_without_a_record_and_several_at_once(sent, tmp_path):
    assert "no record of provenance" in verified(tmp_path)[1]
    assert "is no folder of results" in verified(tmp_path / "nowhere")[1]
    shutil.copytree(results(sent), sent / "results" / "second")
    status, said = verified(sent)
    assert status == 1  # the figures of the second did not come with it
    assert said.count("files as recorded") == 2
    assert "figures: missing: no folder figures/second" in said


class TestTheCrate:
    """`ro-crate-metadata.json`: what it says is what the record says, or it is named."""

    PLACE = "ro-crate-metadata.json"

    def forged(self, sent: Path, change) -> tuple[int, str]:
        """Change one entity of the crate, and the record with it."""
        path = results(sent) / self.PLACE
        crate = json.loads(path.read_text(encoding="utf-8"))
        change({entity["@id"]: entity for entity in crate["@graph"]}, crate["@graph"])
        path.write_text(json.dumps(crate), encoding="utf-8")
        rewrite(sent, lambda record: record["products"].update({self.PLACE: digest(path)}))
        return verified(sent)

    def test_files_are_named_by_their_digests(self, sent):
        crate = json.loads((results(sent) / self.PLACE).read_text(encoding="utf-8"))
        entities = {entity["@id"]: entity for entity in crate["@graph"]}
        files = [name for name, entity in entities.items() if entity["@type"] == "File"]
        assert {name for name in files if digest(results(sent) / name) == entities[name]["sha256"]} == {
            path.relative_to(results(sent)).as_posix() for path in results(sent).rglob("*")
            if path.is_file() and path.name not in (self.PLACE, "provenance.json")
        }  # fmt: skip
        figure = sent / "figures" / NAME / "figure_1.svg"
        assert entities["#figures/figure_1.svg"]["sha256"] == digest(figure)
        survival = entities["#04_survival"]
        assert survival["instrument"] == {"@id": "#notebooks/04_survival.ipynb"}
        assert {"@id": "statistics/04_survival.csv"} in survival["result"]
        assert {"@id": "data/events.parquet"} in survival["object"]
        assert {"@id": "#cohort/cohort.toml"} in survival["object"]
        assert entities["#04_survival/seed"]["value"] == 20250626

    def test_it_says_that_the_cohort_is_reconstructed_and_nothing_of_the_machine(self, sent):
        text = (results(sent) / self.PLACE).read_text(encoding="utf-8")
        root = next(one for one in json.loads(text)["@graph"] if one["@id"] == "./")
        assert "No record is a real patient" in root["description"]
        assert root["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
        assert root["datePublished"] == "2026-11-28"
        assert str(ROOT) not in text
        assert str(sent) not in text
        assert "Time" not in text

    def test_another_digest_of_a_file_of_raw_data_and_of_a_notebook(self, sent):
        def change(entities, _):
            entities["tables/table_1.csv"]["sha256"] = "0" * 64
            entities["#cohort/patients.csv"]["sha256"] = "1" * 64
            entities["#notebooks/04_survival.ipynb"]["identifier"] = "2" * 64

        status, said = self.forged(sent, change)
        assert status == 1
        assert f"{self.PLACE}: contradiction: says '{'0' * 64}' of 'tables/table_1.csv'" in said
        assert f"says '{'1' * 64}' of '#cohort/patients.csv'" in said
        assert f"says '{'2' * 64}' of '#notebooks/04_survival.ipynb'" in said

    def test_a_file_left_out_and_one_invented(self, sent):
        def change(entities, graph):
            graph.remove(entities["tables/table_1.csv"])
            graph.append({"@id": "tables/table_99.csv", "@type": "File", "sha256": "0" * 64})

        status, said = self.forged(sent, change)
        assert status == 1
        assert "does not name tables/table_1.csv" in said
        assert "of 'tables/table_99.csv', the record does not name it" in said
        assert "'#02_baseline_comparison' has the result 'tables/table_1.csv', which is not described" in said

    @pytest.mark.parametrize(
        ("name", "key", "value"),
        [
            ("./", "description", "Forty-one patients."),
            ("./", "license", "Take it."),
            ("#04_survival/confidence", "value", 0.9),
            ("#rdmas-compendium", "softwareVersion", "99"),
            ("#04_survival", "instrument", {"@id": "#notebooks/06_safety.ipynb"}),
        ],
    )
    def test_another_statement(self, sent, name, key, value):
        status, said = self.forged(sent, lambda entities, _: entities[name].update({key: value}))
        assert status == 1
        assert f"describes {name!r} otherwise than the run would: {key}" in said

    @pytest.mark.parametrize(
        "text", ["", "[" * 100_000, "{}", '{"@graph": [1, {"@id": []}]}', '{"@graph": 1}']
    )
    def test_what_is_no_crate(self, sent, text):
        path = results(sent) / self.PLACE
        path.write_text(text, encoding="utf-8")
        rewrite(sent, lambda record: record["products"].update({self.PLACE: digest(path)}))
        status, said = verified(sent)
        assert status == 1
        assert f"{self.PLACE}: contradiction: " in said
