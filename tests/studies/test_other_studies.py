"""Three other studies run from their folders alone; nothing of the embedded study shows to readers."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from studies import STUDIES

# Words of the embedded study, which no other study's documents may hold.
FOREIGN = (
    "ruxolitinib", "芦可替尼", "Li 2025", "Li J", "ciclosporin", "环孢素", "refractory", "难治", "week 8",
    "第8周", "macrophage activation", "巨噬细胞活化", "reconstructed",
)  # fmt: skip
# "Refractoriness and eligibility" is what a question is called, which any study may answer or not.
QUESTION = re.compile("难治性(?=[与或]入选)")
ROOT = Path(__file__).parents[2]


def text_of(path: Path) -> str:
    """What a reader can read in a file."""
    if path.suffix in (".docx", ".xlsx"):
        with zipfile.ZipFile(path) as archive:
            parts = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".xml")]
        return QUESTION.sub("", html.unescape(re.sub("<[^>]+>", " ", " ".join(parts))))
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".html", ".svg"):
        text = re.sub(r"<script.*?</script>|<style.*?</style>|base64,[A-Za-z0-9+/=]+", "", text, flags=re.S)
        text = re.sub("<[^>]+>", " ", text)
    return QUESTION.sub("", html.unescape(text))


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_runs_and_speaks_of_itself_alone(study, tmp_path, name, language):
    folder = tmp_path / name
    folder.mkdir()
    for file in study(name).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with (folder / "cohort.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[report]\nlanguage = "{language}"\n')
    command = [
        str(Path(sys.executable).with_name("compendium")),
        "run",
        str(folder),
        "--output",
        str(tmp_path),
    ]
    env = {key: value for key, value in os.environ.items() if not key.startswith("COMPENDIUM_")}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = [
        path
        for path in [*(tmp_path / "results" / name).rglob("*"), *(tmp_path / "figures" / name).iterdir()]
        if path.suffix in (".docx", ".xlsx", ".html", ".csv", ".svg", ".tex") and "data" not in path.parts[-2]
    ]
    assert len(shown) > 40
    found = {(path.name, word) for path in shown for word in FOREIGN if word.lower() in text_of(path).lower()}
    assert found == set()
