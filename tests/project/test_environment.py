"""`environment.yml` and `CITATION.cff` say the same as `pyproject.toml` and `uv.lock`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
# What conda-forge calls otherwise than PyPI.
CONDA_NAMES = {"matplotlib": "matplotlib-base", "dask": "dask-core"}
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def conda_pins() -> dict[str, str]:
    plain = [line for line in ENVIRONMENT["dependencies"] if isinstance(line, str)]
    return dict(line.partition("=")[::2] for line in plain)


def pip_pins() -> dict[str, str]:
    lines = next(line["pip"] for line in ENVIRONMENT["dependencies"] if isinstance(line, dict))
    return dict(line.split("==") for line in lines if not line.startswith("-e"))


def applies(package: dict[str, Any], python: str) -> bool:
    """Whether a locked package is the one for a version of Python; the lock holds several of some."""
    markers = package.get("resolution-markers")
    versions = {"python_full_version": f"{python}.9", "python_version": python}
    return markers is None or any(Marker(marker).evaluate(versions) for marker in markers)


def locked() -> dict[str, str]:
    packages = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    python = conda_pins()["python"]
    return {package["name"]: package.get("version", "") for package in packages if applies(package, python)}


def direct(group: str | None = None) -> list[str]:
    lines = SETTINGS["dependency-groups"][group] if group else SETTINGS["project"]["dependencies"]
    return [Requirement(line).name for line in lines]


def test_conda_environment_holds_every_dependency_in_its_locked_version() -> None:
    conda, pip, lock = conda_pins(), pip_pins(), locked()
    found = {name: pip.get(name, conda.get(CONDA_NAMES.get(name, name))) for name in direct()}
    assert found == {name: lock[name] for name in direct()}


def test_conda_environment_holds_nothing_else_but_locked_tools_for_the_tests() -> None:
    pypi_names = {conda: pypi for pypi, conda in CONDA_NAMES.items()}
    named = {pypi_names.get(name, name): version for name, version in conda_pins().items()} | pip_pins()
    others = {name: version for name, version in named.items() if name not in {*direct(), "python", "pip"}}
    lock = locked()
    assert set(others) <= set(direct("dev"))
    assert others == {name: lock[name] for name in others}


def test_conda_environment_has_a_python_that_the_project_accepts() -> None:
    from packaging.specifiers import SpecifierSet

    assert f"{conda_pins()['python']}.9" in SpecifierSet(SETTINGS["project"]["requires-python"])


def test_conda_environment_installs_the_project_itself() -> None:
    lines = next(line["pip"] for line in ENVIRONMENT["dependencies"] if isinstance(line, dict))
    assert "-e ." in lines


@pytest.mark.parametrize("key", ["version", "license"])
def test_citation_agrees_with_the_package(key: str) -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation[key]) == SETTINGS["project"][key]
