"""What whoever carries the project on relies on: workflows, issue forms, metadata, links of the pages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
CODEMETA = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
ZENODO = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
PUBLIC = ["CONTRIBUTING.md", "SECURITY.md", "CITATION.cff", "codemeta.json", ".zenodo.json", "pyproject.toml"]


def steps(path: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


def made(path: Path) -> list[str]:
    """Targets that a page has made, in its code."""
    return re.findall(r"(?:^|`)make ([a-z][a-z-]*)", path.read_text(encoding="utf-8"), re.M)


def test_workflows_call_targets_that_exist():
    called = {target for path in WORKFLOWS for step in steps(path)
              for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))}  # fmt: skip
    assert {"setup", "lint", "test", "docs", "wheel", "test-slow"} <= called
    assert called <= TARGETS


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_pages_name_targets_that_exist(page):
    named = set(made(ROOT / page))
    assert named
    assert named <= TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_on_three_systems_with_few_rights_and_says_that_it_never_ran(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Never run so far")
    loaded = yaml.safe_load(text)
    assert loaded["permissions"] == {"contents": "read"}
    assert all(0 < job["timeout-minutes"] <= 180 for job in loaded["jobs"].values())
    systems = loaded["jobs"][path.stem]["strategy"]["matrix"]["os"]
    assert {name.partition("-")[0] for name in systems} == {"ubuntu", "macos", "windows"}


def test_all_versions_of_python_that_the_package_accepts_are_checked():
    [checks] = [path for path in WORKFLOWS if path.stem == "checks"]
    matrix = yaml.safe_load(checks.read_text(encoding="utf-8"))["jobs"]["checks"]["strategy"]["matrix"]
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert matrix["python"] == [f"3.{minor}" for minor in range(int(low), int(high))]


def test_the_page_for_contributors_says_that_the_workflows_never_ran():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "**They were never run**" in text
    assert "Windows without WSL | not supported, never tried" in text


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_asks_first_that_no_patient_is_told_of(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"]
    assert form["description"]
    kinds = {"markdown", "textarea", "input", "dropdown", "checkboxes"}
    assert {item["type"] for item in form["body"]} <= kinds
    assert all(item["attributes"]["label"] for item in form["body"])
    ids = [item["id"] for item in form["body"]]
    assert len(ids) == len(set(ids))
    [promise] = form["body"][0]["attributes"]["options"]
    assert promise["required"] is True
    assert "real patient" in promise["label"]


SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.github-issue-forms": FORMS,
    "vendor.github-issue-config": [ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_follow_their_schema(schema):
    program = shutil.which("check-jsonschema")
    if program is None:
        pytest.skip("check-jsonschema is not installed")
    command = [program, "--builtin-schema", schema, *map(str, SCHEMAS[schema])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_metadata_agree_with_each_other():
    assert CODEMETA["version"] == ZENODO["version"] == CITATION["version"] == PROJECT["version"]
    assert CODEMETA["name"] == ZENODO["title"] == CITATION["title"]
    assert CODEMETA["keywords"] == ZENODO["keywords"] == CITATION["keywords"]
    assert CODEMETA["description"] == PROJECT["description"]
    assert ZENODO["description"].startswith(f"{PROJECT['description']}.")
    assert "not patients" in ZENODO["description"]
    assert CODEMETA["license"].rpartition("/")[2] == ZENODO["license"] == PROJECT["license"]
    assert PROJECT["requires-python"] in CODEMETA["runtimePlatform"]
    authors = [one["name"] for one in CITATION["authors"]]
    assert [one["name"] for one in CODEMETA["author"]] == authors
    assert [one["name"] for one in ZENODO["creators"]] == authors


def test_codemeta_has_the_terms_of_its_context_only():
    terms = {
        "@context", "@type", "name", "description", "version", "license", "author", "programmingLanguage",
        "runtimePlatform", "operatingSystem", "applicationCategory", "developmentStatus", "keywords",
        "referencePublication",
    }  # fmt: skip
    assert CODEMETA["@context"] == "https://w3id.org/codemeta/3.0"
    assert CODEMETA["@type"] == "SoftwareSourceCode"
    assert set(CODEMETA) <= terms


def test_no_person_address_or_identifier_is_invented():
    article = CITATION["references"][0]["doi"]
    for name in PUBLIC:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert set(re.findall(r"\b10\.\d{4,}/[\w.]+\w", text)) <= {article}, name
        assert not re.search(r"orcid\.org/|[\w.]+@[\w-]+\.\w+|github\.com/\w", text), name


def test_gaps_are_marked():
    assert "**To be filled in by whoever publishes" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    if ZENODO["creators"][0]["name"].endswith("contributors"):
        assert "To be filled in" in ZENODO["notes"]


def pages() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return [ROOT / name for name in listed.stdout.split()]


def test_links_of_the_pages_lead_to_files():
    if not pages():
        pytest.skip("no repository")
    broken = []
    for page in pages():
        text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            path = link.partition("#")[0]
            if path and ":" not in path and not (page.parent / path).exists():
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert broken == []
