"""Hands and eyes of a test: choose in the page of the explorer as a reader does, and read what it shows."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

SPACE = re.compile(r"\s+")
PANELS = ("Survival", "Response", "Course", "Steroids", "Patient", "Table 1", "Robustness")
_VIEW = "document.querySelector('.explorer-code')?.dataset.view"


def plain(text: str) -> str:
    """Words with one plain space between them; menus have hard ones."""
    return SPACE.sub(" ", text).strip()


# Names of the cohorts that the page is opened with.
EMBEDDED, OTHER, ONE_ARM = "rdmas_reconstructed", "pbc", "one_arm"


@dataclass
class Driven:
    """The explorer's page in a browser."""

    page: Any

    def wait_until_shown(self) -> None:
        """Wait until the first view, or what is said instead, stands on the page."""
        self.page.wait_for_selector(".explorer-code")

    @contextmanager
    def redrawn(self) -> Iterator[None]:
        """Wait until what the block chose is shown: every showing has a number of its own."""
        before = self.page.evaluate(_VIEW)
        yield
        self._wait_for_another_than(before)

    def open_cohort(self, name: str) -> None:
        """Choose a cohort; its first panel is shown."""
        menu = self._control("Cohort")
        if self._chosen(menu) != name:
            self.page.evaluate("document.querySelector('.explorer-code').dataset.view = 'of another cohort'")
            menu.select_option(label=name)
            self._wait_for_another_than("of another cohort")

    def turn_to(self, title: str) -> None:
        """Press the button of a panel."""
        if plain(self.page.locator(".widget-toggle-button.mod-active").inner_text()) == title:
            return
        self.page.evaluate("document.querySelector('.explorer-code').dataset.view = 'of another panel'")
        self.page.get_by_role("button", name=title, exact=True).click()
        self._wait_for_another_than("of another panel")

    def _wait_for_another_than(self, view: str) -> None:
        """Wait until another view stands there; between two of them there is none for a moment."""
        self.page.wait_for_function(f"before => {_VIEW} && {_VIEW} !== before", arg=view)

    def start(self, title: str) -> None:
        """Turn to a panel and have its controls as they are at first."""
        self.turn_to(title)
        with self.redrawn():
            self.page.get_by_role("button", name="Start over", exact=True).click()

    def choose(self, label: str, words: str) -> None:
        """Choose from a menu by its words."""
        menu = self._control(label)
        if self._chosen(menu) == words:
            return
        with self.redrawn():
            menu.select_option(index=self.options(label).index(words))

    def choose_several(self, label: str, *words: str) -> None:
        """Choose several of a list by their words."""
        options, listed = self.options(label), self._control(label)
        wanted = [options.index(one) for one in words]
        if wanted == listed.evaluate("list => [...list.selectedOptions].map(one => one.index)"):
            return
        with self.redrawn():
            listed.select_option(index=wanted)

    def write(self, label: str, text: str) -> None:
        """Write into a field and leave it."""
        field = self._control(label)
        if field.input_value() == text:
            return
        with self.redrawn():
            field.fill(text)
            field.press("Tab")

    def slide(self, label: str, text: str) -> None:
        """Write the number beside a slider, as by hand."""
        written = self._control(f"{label}, written")
        if float(written.inner_text()) == float(text):
            return
        with self.redrawn():
            written.fill(text)
            written.press("Enter")

    def tick(self, label: str) -> None:
        """Tick or untick a box."""
        with self.redrawn():
            self._control(label).click()

    def options(self, label: str) -> list[str]:
        """Words of a menu."""
        return [plain(one) for one in self._control(label).locator("option").all_inner_texts()]

    def _control(self, label: str) -> Any:
        return self.page.get_by_label(label, exact=True)

    def _chosen(self, menu: Any) -> str:
        return plain(str(menu.evaluate("menu => menu.selectedOptions[0]?.text ?? ''")))

    @property
    def code(self) -> str:
        """The cell under the view."""
        return str(self.page.locator(".explorer-code").first.text_content())

    @property
    def message(self) -> str:
        """What is said above the figure."""
        found = self.page.locator(".explorer-note, .explorer-problem, .explorer-fault")
        return "\n".join(found.all_inner_texts())

    @property
    def faults(self) -> list[str]:
        """What could not be computed for a reason that nobody has foreseen."""
        return [str(one) for one in self.page.locator(".explorer-fault").all_inner_texts()]

    @property
    def rows(self) -> list[list[str]]:
        """Cells of the table, line by line, without the signs of footnotes."""
        found: list[list[str]] = self.page.evaluate(
            """() => [...document.querySelectorAll('.explorer table.gt_table tbody tr')].map(line =>
                [...line.querySelectorAll('td, th')].map(cell => {
                    const words = cell.cloneNode(true);
                    words.querySelectorAll('sup').forEach(sign => sign.remove());
                    return words.textContent;
                }))"""
        )
        return [[plain(cell) for cell in line] for line in found]

    @property
    def table(self) -> str:
        """All words of the table, without spaces."""
        found = self.page.locator(".explorer table.gt_table")
        return SPACE.sub("", str(found.first.text_content())) if found.count() else ""

    @property
    def title(self) -> str:
        """Title of the table."""
        return str(self.page.locator(".explorer table.gt_table .gt_title").first.inner_text())

    @property
    def figure(self) -> str:
        """Digest of the figure on the page; empty without one."""
        found = self.page.locator(".explorer-figure img")
        if not found.count():
            return ""
        data = str(found.first.get_attribute("src")).partition("base64,")[2]
        return hashlib.sha256(base64.b64decode(data)).hexdigest()

    @property
    def described(self) -> str:
        """The figure for readers who cannot see it."""
        return html.unescape(str(self.page.locator(".explorer-figure img").first.get_attribute("alt")))
