"""The pages of the documentation: built offline without a warning; every inside link leads somewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "docs" / "site"


@pytest.fixture
def faults(monkeypatch):
    """What finds broken links in a folder."""
    monkeypatch.syspath_prepend(str(SITE))
    from links import faults_of_site

    return faults_of_site


def page(body: str) -> str:
    return f"<!doctype html><html><head></head><body>{body}</body></html>"


def test_links_that_lead_nowhere_are_found(tmp_path, faults):
    (tmp_path / "sub").mkdir()
    (tmp_path / "style.css").write_text(
        "b { background: url(https://elsewhere.org/b.png) }", encoding="utf-8"
    )
    (tmp_path / "sub" / "b c.html").write_text(page('<h1 id="top">B</h1>'), encoding="utf-8")
    (tmp_path / "a.html").write_text(
        page(
            '<a href="sub/b%20c.html#top">good</a><a href="#here">good</a><p id="here"></p>'
            '<a href="https://elsewhere.org">good: only a link</a><a href="mailto:x">good</a>'
            '<a href="sub/b%20c.html#bottom">1</a><a href="gone.html">2</a><a href="../outside.html">3</a>'
            '<img src="gone.png"><script src="https://elsewhere.org/x.js"></script>'
            '<link rel="stylesheet" href="style.css"><p style="background: url(//elsewhere.org/c.png)">'
        ),
        encoding="utf-8",
    )
    assert faults(tmp_path) == [
        "a.html: sub/b%20c.html#bottom: no such place on that page",
        "a.html: gone.html: no such file",
        "a.html: ../outside.html: leads out of the pages",
        "a.html: gone.png: no such file",
        "a.html: https://elsewhere.org/x.js: loaded from elsewhere",
        "a.html: //elsewhere.org/c.png: loaded from elsewhere",
        "style.css: url(https://elsewhere.org/b.png: loaded from elsewhere",
    ]


def test_every_page_of_the_project_is_in_the_contents(monkeypatch):
    monkeypatch.syspath_prepend(str(SITE))
    from build import CONTENTS

    listed = {path for part in CONTENTS.values() for pattern in part for path in ROOT.glob(pattern)}
    assert set((ROOT / "docs").glob("*.md")) <= listed
    assert set((ROOT / "notebooks").glob("*.ipynb")) <= listed
    for part in CONTENTS.values():
        for pattern in part:
            generated = pattern in ("docs/gallery.md", "docs/api/*.md")
            assert generated or list(ROOT.glob(pattern)), f"{pattern} is no page"


def test_the_gallery_has_every_figure_with_its_legend(monkeypatch):
    monkeypatch.syspath_prepend(str(SITE))
    from gallery import gallery

    text = gallery(ROOT, "rdmas_reconstructed")
    drawn = {path.stem for path in (ROOT / "figures" / "rdmas_reconstructed").glob("figure_*.svg")}
    assert len(drawn) > 20
    assert set(re.findall(r"^:name: (\w+)$", text, re.M)) == drawn
    for part in text.split("\n## ")[1:]:
        title, _, rest = part.partition("\n")
        assert re.match(r"Figure S?\d+[A-Z]?\. \w", title)
        legend = re.search(r":width: \d+px\n\n(.+)\n:::", rest)
        assert legend is not None, title
        assert len(legend[1]) > 10, title
        assert "{" not in legend[1], title
    assert "records are not patients" in text


@pytest.mark.slow
def test_the_pages_are_built_offline_and_without_a_warning(tmp_path):
    if any(importlib.util.find_spec(name) is None for name in ("sphinx", "myst_nb", "furo")):
        pytest.skip("the dependency group `docs` is not installed: `make docs` installs it")
    done = subprocess.run(
        [sys.executable, str(SITE / "build.py"), str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    html = tmp_path / "html"
    assert "Tutorial" in (html / "index.html").read_text(encoding="utf-8")
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert (html / "notebooks" / f"{notebook.stem}.html").is_file()
    curve = html / "docs" / "api" / "stats" / "helpers.stats.kaplan_meier.html"
    assert 'id="helpers.stats.kaplan_meier.kaplan_meier"' in curve.read_text(encoding="utf-8")
    gallery = (html / "docs" / "gallery.html").read_text(encoding="utf-8")
    assert gallery.count("<figcaption>") == len(list((ROOT / "figures/rdmas_reconstructed").glob("*.svg")))
