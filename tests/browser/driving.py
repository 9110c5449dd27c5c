"""Hands and eyes of a test: choose in the page of the explorer as a reader does, and read what it shows."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from dataclasses import dataclass
from typing import Any

LABEL = re.compile(r"\s+")


@dataclass
class Driven:
    """The explorer's page in a browser."""

    page: Any

    def wait_until_shown(self) -> None:
        """Wait until the first view, or what is said instead, stands on the page."""
        self.page.wait_for_selector(".explorer-code")

    def turn_to(self, title: str) -> None:
        """Press the button of a panel."""
        code = self.code
        self.page.get_by_role("button", name=title, exact=True).click()
        self._until_changed(code)

    def choose(self, label: str, words: str) -> None:
        """Choose from a menu by its words."""
        code = self._state()
        self._control(label).select_option(label=words)
        self._until_changed(code)

    def choose_several(self, label: str, *words: str) -> None:
        """Choose several of a list by their words."""
        code = self._state()
        self._control(label).select_option(label=list(words))
        self._until_changed(code)

    def write(self, label: str, text: str) -> None:
        """Write a number into a field and leave it."""
        code = self._state()
        field = self._control(label)
        field.fill(text)
        field.press("Tab")
        self._until_changed(code)

    def tick(self, label: str) -> None:
        """Tick or untick a box."""
        code = self._state()
        self.page.get_by_label(label, exact=True).click()
        self._until_changed(code)

    def options(self, label: str) -> list[str]:
        """Words of a menu."""
        return [str(one) for one in self._control(label).locator("option").all_inner_texts()]

    def _control(self, label: str) -> Any:
        return self.page.get_by_label(label, exact=True)

    def _state(self) -> tuple[str, str]:
        return self.code, self.message

    def _until_changed(self, before: Any) -> None:
        """Wait for another code or message; a choice that changes neither shows nothing else."""
        known = before if isinstance(before, tuple) else (before, self.message)
        for _ in range(150):
            if (self.code, self.message) != known:
                break
            self.page.wait_for_timeout(100)
        self.page.wait_for_timeout(150)

    @property
    def code(self) -> str:
        """The cell under the view."""
        found = self.page.locator(".explorer-code")
        return str(found.first.inner_text()) if found.count() else ""

    @property
    def message(self) -> str:
        """What is said above the figure."""
        found = self.page.locator(".explorer-note, .explorer-problem, .explorer-fault")
        return "\n".join(found.all_inner_texts()) if found.count() else ""

    @property
    def rows(self) -> list[list[str]]:
        """Cells of the table, line by line."""
        lines = self.page.locator("table.gt_table tbody tr")
        return [
            [LABEL.sub(" ", cell).strip() for cell in line.locator("td").all_inner_texts()]
            for line in lines.all()
        ]

    @property
    def title(self) -> str:
        """Title of the table."""
        return str(self.page.locator("table.gt_table .gt_title").first.inner_text())

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
