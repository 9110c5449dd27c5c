"""The RO-Crate of a run, as an independent validator judges it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rocrate
from command import ROOT, compendium

pytestmark = pytest.mark.slow

NAME = "rdmas_reconstructed"
UV = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
# It asks for an older rich than the project has, so that it cannot be one of its packages.
VALIDATOR = [str(UV), "tool", "run", "--from", "roc-validator==0.13.0", "rocrate-validator"]


@pytest.fixture(scope="module")
def validator() -> list[str]:
    if UV is None:
        pytest.skip("uv is not installed: it fetches roc-validator")
    done = subprocess.run([*VALIDATOR, "--version"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"roc-validator cannot be had: {done.stderr.strip().splitlines()[-1:]}")
    return VALIDATOR


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    done = compendium("run", NAME, "--output", folder)
    assert done.returncode == 0, done.stderr
    return folder / "results" / NAME


def validated(
    validator: list[str], made: Path, folder: Path, *more: str, without: str = ""
) -> list[dict[str, Any]]:
    """What the validator finds, the context put into the file as it cannot be fetched here."""
    crate = folder / "crate"
    shutil.copytree(made, crate)
    file = crate / "ro-crate-metadata.json"
    stored = json.loads(file.read_text(encoding="utf-8"))
    assert stored["@context"] == "https://w3id.org/ro/crate/1.1/context"
    shipped = Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld"
    stored["@context"] = json.loads(shipped.read_text(encoding="utf-8"))["@context"]
    next(one for one in stored["@graph"] if one["@id"] == "./").pop(without, None)
    file.write_text(json.dumps(stored), encoding="utf-8")
    said = folder / "said.json"
    options = ["--offline", "--no-paging", "--output-format", "json", "-o", str(said), *more]
    command = [*validator, "-y", "validate", str(crate), "-p", "process-run-crate-0.5", *options]
    subprocess.run(command, capture_output=True, check=False)
    found: dict[str, Any] = json.loads(said.read_text(encoding="utf-8"))
    assert found["passed"] is (not found["issues"])
    issues: list[dict[str, Any]] = found["issues"]
    return issues


def test_nothing_that_is_required_is_missing(validator: list[str], made: Path, tmp_path: Path) -> None:
    assert validated(validator, made, tmp_path, "-l", "REQUIRED") == []


def test_of_what_is_recommended_only_times_people_and_addresses_are_missing(
    validator: list[str], made: Path, tmp_path: Path
) -> None:
    issues = validated(validator, made, tmp_path, "-l", "RECOMMENDED")
    meant = ("endTime", "agent that is a Person", "`author`", "`publisher`", "a url", "absolute URI")
    assert [one["message"] for one in issues if not any(words in one["message"] for words in meant)] == []


def test_a_cohort_that_names_no_day_lacks_the_date_alone(
    validator: list[str], made: Path, tmp_path: Path
) -> None:
    issues = validated(validator, made, tmp_path, "-l", "REQUIRED", without="datePublished")
    assert len(issues) == 1
    assert "datePublished" in issues[0]["message"]


def test_the_library_reads_it(made: Path) -> None:
    from rocrate.rocrate import ROCrate

    crate = ROCrate(made)
    assert len(crate.data_entities) == sum(path.is_file() for path in made.rglob("*")) - 2
    assert {entity.id for entity in crate.root_dataset["mentions"]} >= {"#01_data_cleaning", "#report"}
    assert str(ROOT) not in json.dumps(crate.metadata.generate())
