"""Words of a cohort that mean harm, and a cohort that is made of them."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

from command import ROOT

MARK = "pwned"
# What each of them would do somewhere: in a page, in a workbook, in LaTeX, in Markdown, in a template.
HARM = {
    "title": f"<script>document.title='{MARK}'</script> {{{{ {MARK} }}}} --><svg onload={MARK}()>",
    "label": f'<img src=x onerror="{MARK}()"> $\\frac{{1}}{{2}}$ & \\write18{{{MARK}}}',
    "visit": f"=HYPERLINK('http://{MARK}') <b>",
    "level": f"@SUM({MARK}) </td><iframe src='javascript:{MARK}()'></iframe>",
    "term": f"=cmd|' /C {MARK}'!A0",
    "other": f"[x](javascript:{MARK}()) `{MARK}` \\href{{http://{MARK}}}{{x}} <a href='javascript:{MARK}()'>",
}
# What an office program would compute or fetch; the sum would be a number that nobody wrote.
SUM = "=1+41"
FORMULAS = (SUM, "+1+41", "-1+41", "@SUM(1;41)", '=DDE("soffice";"x";"a1")')


def fetching(address: str) -> tuple[str, ...]:
    """Words that would ask for an address, in a page or a workbook."""
    return (
        f'=WEBSERVICE("{address}/service")',
        f'=HYPERLINK("{address}/link";"x")',
        f"<img src={address}/picture>",
        f"<link rel=stylesheet href={address}/style>",
        f"<script src={address}/script></script>",
        f"![x]({address}/markdown)",
    )


def hostile_cohort(folder: Path, address: str) -> None:
    """The embedded cohort with words that mean harm.

    Args:
        folder: where it goes.
        address: of a server that remembers who asks it.
    """
    shutil.copytree(ROOT / "data" / "cohorts" / "rdmas_reconstructed", folder)
    settings = folder / "cohort.toml"
    text = settings.read_text(encoding="utf-8")
    text = re.sub("^title = .*$", lambda _: f"title = {json.dumps(HARM['title'])}", text, count=1, flags=re.M)
    for old, kind in (("Ruxolitinib", "label"), ("Week 1", "visit"), ("Complete response", "level")):
        assert f'label = "{old}"' in text
        text = text.replace(f'label = "{old}"', f"label = {json.dumps(HARM[kind])}")
    settings.write_text(text, encoding="utf-8")
    with (folder / "events.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    words = (HARM["term"], HARM["other"], *FORMULAS, *fetching(address))
    for place, row in enumerate(rows[1:]):
        row[2] = words[place % len(words)]
    with (folder / "events.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
