"""The explorer as a page: every control, the code of every view, and chance; see also test_tasks.py."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from driving import EMBEDDED, ONE_ARM, OTHER, PANELS, SPACE, Driven

READ = """
import hashlib, json
from html.parser import HTMLParser
class Words(HTMLParser):
    found, within = "", 0
    def handle_starttag(self, tag, attributes): self.within += tag == "table"
    def handle_endtag(self, tag): self.within -= tag == "table"
    def handle_data(self, data): self.found += data * bool(self.within)
words = Words(); words.feed(look.table.to_html(look.journal))
print(json.dumps([hashlib.sha256(look.png).hexdigest() if look.png else "", words.found]))
"""
REACHED = (
    ".explorer select, .explorer button, .explorer input:not([type=hidden]), .explorer [role=region], "
    ".explorer [role=slider], .explorer [role=textbox]"
)


def in_a_fresh_kernel(codes: list[str], project: Path, output: Path) -> list[tuple[str, str]]:
    """Digest of the figure and words of the table of each cell, run in a kernel that has run nothing else."""
    from jupyter_client.manager import start_new_kernel

    environment = os.environ | {"COMPENDIUM_OUTPUT": str(output), "COMPENDIUM_PROJECT": str(project)}
    manager, client = start_new_kernel(cwd=str(project / "notebooks"), env=environment)
    found, told = [], []

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            found.append(message["content"]["text"])
        elif message["msg_type"] == "error":
            told.append(message["content"]["evalue"])

    try:
        for code in codes:
            for cell in (code, READ):
                client.execute_interactive(cell, output_hook=hear, timeout=300)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert told == []
    pairs = [json.loads(line) for line in "".join(found).splitlines()]
    return [(figure, SPACE.sub("", words)) for figure, words in pairs]


def test_axe_finds_nothing_on_any_panel(driven: Driven) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for title in PANELS:
        driven.turn_to(title)
        found = Axe().run(driven.page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == [], title


def test_keyboard_reaches_every_control(driven: Driven) -> None:
    for title in PANELS:
        driven.turn_to(title)
        count = driven.page.locator(REACHED).count()
        assert count > 10
        driven.page.evaluate("document.activeElement.blur()")
        reached = set()
        for _ in range(count + 20):
            driven.page.keyboard.press("Tab")
            place = driven.page.evaluate(
                f"[...document.querySelectorAll('{REACHED}')].indexOf(document.activeElement)"
            )
            reached.add(place)
            if reached >= set(range(count)):
                break
        assert set(range(count)) <= reached, title


def test_controls_do_by_keyboard_what_they_do_by_mouse(driven: Driven) -> None:
    driven.page.get_by_label("Last day", exact=True).focus()
    with driven.redrawn():
        driven.page.keyboard.press("ArrowUp")
        driven.page.keyboard.press("Tab")
    assert "horizon_days=57" in driven.code
    driven.start("Robustness")
    driven.page.get_by_label("Common lag, days", exact=True).focus()
    with driven.redrawn():
        driven.page.keyboard.press("ArrowRight")
    assert "lag=1" in driven.code


CHANGES = {
    "Survival": [
        ("write", "Last day", "28"), ("choose", "Split by", "Sex"), ("tick", "Medians"),
        ("choose", "Interval", "plain"), ("choose", "Log-rank test", "permutation"),
        ("choose", "Below the curves", "at risk, censored, deaths"), ("write", "Landmark on day", "7"),
        ("choose_several", "Without", "C01"), ("choose", "Figure for", "The Lancet"),
    ],
    "Response": [
        ("choose", "Called by", "paper, missing is NR"), ("choose", "Show", "patients"),
        ("choose", "Split by", "Age, years"), ("write", "Cut a number at", "40"),
    ],
    "Course": [
        ("choose", "Measurement", "Ferritin, ng/mL"), ("choose", "Split by", "Death by day 56"),
        ("choose", "Vertical axis", "plain"),
    ],
    "Steroids": [("write", "Low dose, mg/kg/d", "0.3"), ("tick", "Table of low doses")],
    "Patient": [
        ("choose", "Patient", "R05"), ("choose_several", "Measurements", "Haemoglobin, g/L"),
        ("choose", "Figure for", "The Lancet"),
    ],
    "Table 1": [
        ("choose", "Only", "Underlying disease: AOSD"),
        ("choose_several", "Rows", "Sex, female", "Age, years"),
        ("choose_several", "Mean (SD) of", "Age, years"),
    ],
    "Robustness": [
        ("slide", "Common lag, days", "9"), ("slide", "Multiplies deaths by", "4"),
        ("slide", "Confounder, controls", "0.7"), ("write", "Last day", "28"),
    ],
}  # fmt: skip
OF_THE_TABLE_ALONE = ("Table of low doses", "Mean (SD) of")


def test_every_panel_changes_figure_numbers_and_code_together(
    driven: Driven, project: Path, output: Path
) -> None:
    codes, seen = [], []
    for title, steps in CHANGES.items():
        driven.start(title)
        before = (driven.code, driven.figure, driven.table)
        for action, label, *words in steps:
            getattr(driven, action)(label, *words)
            after = (driven.code, driven.figure, driven.table)
            assert after[0] != before[0], (title, label)
            assert after[1:] != before[1:], (title, label, driven.message)
            assert after[1] != before[1] or label in OF_THE_TABLE_ALONE, (title, label)
            before = after
        codes.append(driven.code)
        seen.append(before[1:])
    assert in_a_fresh_kernel(codes, project, output) == seen


@pytest.mark.parametrize(("cohort", "sequences"), [(EMBEDDED, 14), (OTHER, 13), (ONE_ARM, 13)])
def test_chance_finds_no_fault_and_its_code_shows_the_same(
    driven: Driven, cohort: str, sequences: int, project: Path, output: Path
) -> None:
    rng = random.Random(f"40 {cohort}")
    driven.open_cohort(cohort)
    codes, seen = [], []
    for _ in range(sequences):
        driven.start(rng.choice(PANELS))
        for _ in range(rng.randint(1, 4)):
            a_choice_at_random(driven, rng)
            assert driven.faults == [], driven.code
            assert driven.figure or driven.table or driven.message
        if driven.table:
            codes.append(driven.code)
            seen.append((driven.figure, driven.table))
    assert len(codes) >= sequences / 3
    assert in_a_fresh_kernel(codes, project, output) == seen


def a_choice_at_random(driven: Driven, rng: random.Random) -> None:
    """Change one control: a menu, a list, a box, a field or a slider."""
    kinds = ".widget-dropdown select, .widget-select-multiple select, .widget-checkbox input, "
    kinds += ".widget-text input, .widget-slider .widget-readout"
    control = rng.choice(driven.page.locator(kinds).all()[1:])
    kind, words = control.evaluate("one => [one.type ?? '', one.getAttribute('aria-label') ?? '']")
    label = words or control.evaluate("one => one.labels?.[0]?.textContent.trim() ?? ''")
    assert label, control.evaluate("one => one.outerHTML")
    if kind == "checkbox":
        driven.tick(label)
    elif kind == "select-one":
        driven.choose(label, rng.choice(driven.options(label)))
    elif kind == "select-multiple":
        options = driven.options(label)
        driven.choose_several(label, *sorted({rng.choice(options), rng.choice(options)}, key=options.index))
    elif words:
        low, high = control.evaluate(
            """one => ['aria-valuemin', 'aria-valuemax'].map(
                name => Number(one.parentElement.querySelector('[role=slider]').getAttribute(name)))"""
        )
        driven.slide(words.removesuffix(", written"), f"{rng.choice([low, (low + high) / 2, high]):g}")
    else:
        driven.write(label, rng.choice(["2", "30", "45"]))


def test_small_parts_are_told_before_they_are_drawn(driven: Driven) -> None:
    driven.choose("Split by", "Sex")
    driven.tick("Split each group")
    assert "Fewer than five patients: Ruxolitinib, male (3)." in driven.message
    assert driven.figure == driven.table == ""
    driven.tick("Draw fewer than five")
    assert driven.figure
    assert "Fewer than five patients" in driven.message


def test_looks_are_counted_on_the_page(driven: Driven) -> None:
    def looks() -> int:
        words = driven.page.locator(".explorer-looks").inner_text()
        return int(words.partition("session: ")[2].partition(",")[0])

    driven.write("Last day", "33")
    before = looks()
    driven.write("Last day", "34")
    assert looks() == before + 1


def test_what_is_saved_lies_apart_and_says_what_it_is(driven: Driven, output: Path) -> None:
    for button, name in (("Save figure", "pdf"), ("Table for Word", "docx"), ("Table as csv", "csv")):
        driven.page.get_by_role("button", name=button, exact=True).click()
        told = driven.page.get_by_text(f"exploratory_survival{'.' + name if name != 'pdf' else ''}").first
        told.wait_for()
        assert (output / "scratch" / "exploratory" / EMBEDDED / f"exploratory_survival.{name}").is_file()
    assert not (output / "results").exists()


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (1920, 1080)])
def test_the_page_has_room_at_two_widths(driven: Driven, output: Path, width: int, height: int) -> None:
    driven.page.set_viewport_size({"width": width, "height": height})
    for title in PANELS:
        driven.start(title)
        wide = driven.page.evaluate(
            "Math.max(...[document.documentElement, ...document.querySelectorAll('.explorer, .jp-Cell')]"
            ".map(one => one.getBoundingClientRect().left + one.scrollWidth))"
        )
        assert wide <= width, title
        driven.page.screenshot(path=str(output / f"{title.lower().replace(' ', '_')}_{width}.png"))
