"""The explorer as a page: controls, the code of every view, and ten tasks of somebody who writes none."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from driving import Driven

ROOT = Path(__file__).parents[2]
RUNNER = """
import hashlib, json, sys
for code in json.load(sys.stdin):
    space = {}
    exec(code, space)
    look = space["look"]
    print(json.dumps([hashlib.sha256(look.png).hexdigest(), look.table.title,
                      [cell for row in look.table.texts for cell in row]]))
"""
PANELS = ("Survival", "Response", "Course", "Steroids", "Patient", "Table 1", "Robustness")


@pytest.fixture
def driven(page: Any, page_address: str, faults: list[str]) -> Iterator[Driven]:
    page.goto(page_address, wait_until="commit")
    made = Driven(page)
    made.wait_until_shown()
    yield made
    assert faults == []
    assert page.locator(".explorer-fault").count() == 0


def in_a_fresh_process(codes: list[str], output: Path) -> list[list[Any]]:
    environment = os.environ | {"COMPENDIUM_OUTPUT": str(output), "COMPENDIUM_PROJECT": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER], input=json.dumps(codes), capture_output=True, text=True, check=False,
        env=environment, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_no_request_leaves_the_machine(driven: Driven, requests_elsewhere: list[str]) -> None:
    for title in PANELS[1:]:
        driven.turn_to(title)
    assert requests_elsewhere == []


def test_axe_finds_nothing_on_any_panel(driven: Driven) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for title in PANELS:
        if title != PANELS[0]:
            driven.turn_to(title)
        found = Axe().run(driven.page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == [], title


def test_keyboard_reaches_every_control(driven: Driven) -> None:
    page = driven.page
    wanted = page.locator(
        ".explorer select, .explorer input:not([type=hidden]), .explorer button, .explorer [role=region]"
    )
    count = wanted.count()
    assert count > 25
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(count + 20):
        page.keyboard.press("Tab")
        place = page.evaluate(
            """() => {
                const all = [...document.querySelectorAll('.explorer select, .explorer button, '
                    + '.explorer input:not([type=hidden]), .explorer [role=region]')];
                return all.indexOf(document.activeElement);
            }"""
        )
        reached.add(place)
    assert set(range(count)) <= reached


def test_every_panel_changes_figure_numbers_and_code_together(driven: Driven, output: Path) -> None:
    codes, seen = [], []
    changes = {
        "Survival": [("write", "Last day", "28"), ("choose", "Split by", "Sex"), ("tick", "Medians")],
        "Response": [("choose", "Called by", "paper, missing is NR"), ("choose", "Show", "patients")],
        "Course": [("choose", "Measurement", "Ferritin, ng/mL"), ("choose", "Split by", "Death by day 56")],
        "Steroids": [("write", "Low dose, mg/kg/d", "0.3"), ("tick", "Table of low doses")],
        "Patient": [("choose", "Patient", "R05")],
        "Table 1": [("choose", "Only", "Underlying disease: AOSD")],
        "Robustness": [("write", "Common lag, days", "9"), ("write", "Multiplies deaths by", "4")],
    }
    for title, steps in changes.items():
        if title != "Survival":
            driven.turn_to(title)
        before = (driven.code, driven.figure)
        for action, label, *words in steps:
            getattr(driven, action)(label, *words)
            assert driven.code != before[0], (title, label)
            assert driven.figure, (title, driven.message)
            before = (driven.code, driven.figure)
        codes.append(driven.code)
        seen.append((driven.figure, driven.title, driven.rows))
    for (figure, title, rows), (drawn, named, cells) in zip(
        seen, in_a_fresh_process(codes, output), strict=True
    ):
        assert figure == drawn, title
        assert title == named
        shown = {cell for row in rows for cell in row if cell and not cell[-1].isalpha()}
        assert shown <= {" ".join(str(cell).split()) for cell in cells} | shown & marked(rows)


def marked(rows: list[list[str]]) -> set[str]:
    """Cells that carry the sign of a footnote, which the plain texts leave out."""
    return {cell for row in rows for cell in row if cell[-1:].isalpha()}


def test_random_sequences_leave_no_fault(driven: Driven) -> None:
    rng = random.Random(40)
    for _ in range(14):
        driven.turn_to(rng.choice(PANELS))
        for _ in range(rng.randint(1, 3)):
            menus = driven.page.locator(".explorer .widget-dropdown select").all()[1:]
            menu = rng.choice(menus)
            words = menu.locator("option").all_inner_texts()
            menu.select_option(label=rng.choice(words))
            driven.page.wait_for_timeout(1500)
            assert driven.page.locator(".explorer-fault").count() == 0, driven.message
            assert driven.page.locator(".explorer-figure img").count() or driven.message or driven.rows


class TestTasks:
    """Ten tasks, each done by the mouse and the keyboard alone."""

    def test_survival_by_sex(self, driven: Driven) -> None:
        driven.choose("Split by", "Sex")
        assert driven.rows[0] == ["Deaths by day 56", "6 (18%)", "3 (38%)", ""]

    def test_survival_at_four_weeks_of_everybody(self, driven: Driven) -> None:
        driven.choose("Split by", "Nothing: everybody together")
        driven.write("Last day", "28")
        assert driven.rows[0] == ["Deaths by day 28", "7 (17%)"]

    def test_ferritin_of_those_who_died(self, driven: Driven) -> None:
        driven.turn_to("Course")
        driven.choose("Measurement", "Ferritin, ng/mL")
        driven.choose("Only", "Death by day 56: died")
        driven.choose("Patients behind", "Week 1")
        assert "Exploratory. Ferritin, ng/mL at week 1" in driven.title
        assert len(driven.rows) == 5

    def test_who_was_in_partial_response_at_week_2_only(self, driven: Driven) -> None:
        driven.turn_to("Response")
        driven.choose("List those who at", "Week 2")
        driven.choose("were", "PR")
        driven.tick("and at no other visit")
        assert driven.title == "Exploratory. PR at week 2 and at no other visit: 0 patients"

    def test_the_dose_curve_without_one_patient(self, driven: Driven) -> None:
        driven.turn_to("Steroids")
        driven.choose_several("Without", "R07")
        assert "Without R07." in driven.message
        assert "[19]" in driven.rows[0][1]

    def test_table_1_of_one_disease(self, driven: Driven) -> None:
        driven.turn_to("Table 1")
        driven.choose("Only", "Underlying disease: AOSD")
        heads = driven.page.locator("table.gt_table thead th").all_inner_texts()
        assert "Ruxolitinib (n = 13)" in heads

    def test_the_same_figure_for_a_journal(self, driven: Driven) -> None:
        before = driven.figure
        driven.choose("Figure for", "The Lancet")
        assert driven.figure
        assert driven.figure != before
        assert "journal='lancet'" in driven.code

    def test_the_lag_at_which_p_leaves_a_twentieth(self, driven: Driven) -> None:
        driven.turn_to("Robustness")
        (row,) = [row for row in driven.rows if row[0].startswith("Least lag")]
        lag = row[1].split()[0]
        for days, below in ((str(int(lag) - 1), True), (lag, False)):
            driven.write("Common lag, days", days)
            (told,) = [row for row in driven.rows if row[0].startswith("Had all treated begun")]
            assert (float(told[2].rstrip("abcdefgh").strip("<")) < 0.05) == below

    def test_why_a_patient_is_called_refractory(self, driven: Driven) -> None:
        driven.turn_to("Patient")
        driven.choose("Patient", "R05")
        assert "Patient R05" not in driven.message
        assert "patient R05" in driven.described
        assert any("measurements, line" in row[-1] for row in driven.rows)

    def test_survival_after_a_response_at_week_1_asks_for_a_landmark(self, driven: Driven) -> None:
        driven.choose("Split by", "Response at week 1")
        assert "Choose a landmark on day 10 or later" in driven.message
        assert driven.figure == ""
        driven.write("Landmark on day", "10")
        assert driven.figure, driven.message
        assert "Landmark on day 10" in driven.message


def test_the_page_is_seen_at_two_widths(driven: Driven, output: Path) -> None:
    for width, height in ((1280, 900), (1920, 1080)):
        driven.page.set_viewport_size({"width": width, "height": height})
        driven.page.wait_for_timeout(500)
        wide = driven.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        driven.page.screenshot(path=str(output / f"explorer_{width}.png"))
