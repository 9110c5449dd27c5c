"""Build the pages of the documentation, offline: gather, generate, Sphinx, check the links.

Run by ``make docs``; from the project's root ``.venv/bin/python docs/site/build.py [FOLDER]``. The pages are
written to ``FOLDER/html``, by default ``docs/_build/html``.

The Markdown pages of the project stay where they are and read well on GitHub. They are copied, with what
they show and link to, into a tree with the same folders, so that their links lead to the same places; the
README is the front page. Gallery and pages of modules are generated there.
"""

from __future__ import annotations

import ast
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from gallery import gallery
from links import faults_of_site

ROOT = Path(__file__).parents[2]
COHORT = "rdmas_reconstructed"
# Heading of a part of the contents, and its pages; `*` stands for all that there are.
CONTENTS: dict[str, tuple[str, ...]] = {
    "Begin": ("docs/tutorial.md", "docs/how_it_works.md"),
    "How to": (
        "docs/your_own_data.md", "docs/exploring.md", "docs/manuscript.md", "docs/tables.md", "docs/ard.md",
        "docs/sharing.md",
        "docs/scale.md", "docs/extending.md",
    ),
    "The embedded cohort": (
        f"data/cohorts/{COHORT}/README.md", "docs/gallery.md", "docs/exhibits.md", "notebooks/*.ipynb",
    ),
    "Reference": (
        "docs/statistics.md", "docs/clinical_rules.md", "docs/cohort_toml.md", "data/README.md",
        "docs/api/*.md",
    ),
    "The project": (
        "benchmarks/results.md", "benchmarks/bias/results.md", "CHANGELOG.md", "CONTRIBUTING.md",
        "SECURITY.md", "LICENSES.md",
    ),
}  # fmt: skip
# Rooms whose modules are documented from their docstrings: those that somebody else's code would use. All of
# them would take minutes.
API = ("stats", "clinical", "results", "vocabulary", "")
BESIDE = "What every room may use."
_LINK = re.compile(r"\]\(([^)\s#]+)")


def build(folder: Path) -> list[str]:
    """Build the pages into a folder and return what is wrong with their links.

    Args:
        folder: receives ``source`` and ``html``; both are made anew.

    Raises:
        SystemExit: Sphinx had a warning or an error, which it has told.
    """
    from sphinx.cmd.build import build_main

    source, html = folder / "source", folder / "html"
    for old in (source, html):
        shutil.rmtree(old, ignore_errors=True)
    gather(source)
    settings = str(Path(__file__).parent)
    options = ["-W", "--keep-going", "-q", "-j", "1", "-d", str(folder / "doctrees"), "-c", settings]
    status = build_main(["-b", "html", *options, str(source), str(html)])
    if status:
        raise SystemExit(status)
    return faults_of_site(html)


def gather(source: Path) -> None:
    """Fill the tree that Sphinx reads: the project's pages, what they link to, and generated pages."""
    write(source / "docs" / "gallery.md", gallery(ROOT, COHORT))
    shutil.copytree(ROOT / "figures" / COHORT, source / "figures" / COHORT, ignore=_other_formats)
    for room in API:
        write_modules(room, source / "docs" / "api")
    for page in pages():
        copy(page, source)
    front = (ROOT / "README.md").read_text(encoding="utf-8")
    copy_linked(ROOT / "README.md", front, source)
    write(source / "index.md", f"{front}\n{contents(source)}")


def pages() -> Iterator[Path]:
    """The pages of the contents that stand in the project, each with its place."""
    for part in CONTENTS.values():
        for pattern in part:
            yield from sorted(ROOT.glob(pattern))


def contents(source: Path) -> str:
    """Return the contents as hidden trees of the front page."""
    parts = []
    for caption, patterns in CONTENTS.items():
        found = [place for pattern in patterns for place in listed(source, pattern)]
        entries = "\n".join(found)
        parts.append(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n")
    return "\n".join(parts)


def listed(source: Path, pattern: str) -> list[str]:
    """Places of gathered pages, as the contents name them."""
    return [path.relative_to(source).with_suffix("").as_posix() for path in sorted(source.glob(pattern))]


def copy(page: Path, source: Path) -> None:
    """Copy a page and the files that it shows or links to."""
    target = source / page.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(page, target)
    if page.suffix == ".md":
        copy_linked(page, page.read_text(encoding="utf-8"), source)


def copy_linked(page: Path, text: str, source: Path) -> None:
    """Copy the files of the project that a page links to; pages among them are copied for themselves."""
    for link in _LINK.findall(text):
        path = (page.parent / link).resolve()
        target = source / path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        if path.is_file() and not target.exists() and target != path:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def write_modules(room: str, folder: Path) -> None:
    """Write the page of a room: what it knows, with a line for each module, and a page for each of them.

    Args:
        room: name of the room; empty for the modules beside the rooms.
        folder: receives the pages.
    """
    package = ROOT / "src" / "helpers" / room
    lines, entries, page = [], [], room or "beside"
    for path in sorted(package.rglob("*.py") if room else package.glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        name = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        if path.stem.startswith("__"):
            continue
        short, place = name.removeprefix(f"helpers.{room}".rstrip(".") + "."), f"{page}/{name}"
        write(folder / f"{place}.md", f"# {short}\n\n```{{eval-rst}}\n.. automodule:: {name}\n```\n")
        summary = (ast.get_docstring(module) or "").split("\n\n")[0].replace("\n", " ")
        lines.append(f"- [{short}]({place}.md): {summary}")
        entries.append(f"{short} <{place}>")
    about = (
        ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) if room else ""
    )
    tree = "\n".join(["```{toctree}", ":hidden:", "", *entries, "```"])
    title = f"helpers.{room}" if room else "helpers: beside the rooms"
    write(folder / f"{page}.md", "\n\n".join([f"# {title}", about or BESIDE, "\n".join(lines), tree, ""]))


def write(path: Path, text: str) -> None:
    """Write a generated page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _other_formats(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith(".png")]


def main() -> None:
    """Build; the exit status is 1 if a link leads nowhere."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "_build"
    faults = build(folder.resolve())
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        raise SystemExit(1)
    print(f"{(folder / 'html' / 'index.html')}: {len(list((folder / 'html').rglob('*.html')))} pages")


if __name__ == "__main__":
    main()
