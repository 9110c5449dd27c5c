"""Every link within the pages leads somewhere, and no page asks the network for anything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_ASSETS = {"script": "src", "img": "src", "source": "src", "iframe": "src", "object": "data", "link": "href"}
_IN_STYLE = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


@dataclass
class _Page(HTMLParser):
    """Anchors of a page, what it links to and what it loads."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names, links to or loads."""
        given = {name: value for name, value in attrs if value is not None}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in _ASSETS and _ASSETS[tag] in given:
            self.loads.append(given[_ASSETS[tag]])
        self.loads += [found[1] or found[2] for found in _IN_STYLE.finditer(given.get("style", ""))]


def faults_of_site(folder: Path) -> list[str]:
    """Return what is wrong with the links of a folder of pages, one text each: page, link, why.

    Args:
        folder: folder of the pages, searched with all below it.
    """
    pages = {path: _read(path) for path in sorted(folder.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        here = path.relative_to(folder).as_posix()
        for link in page.links:
            found += [f"{here}: {link}: {why}" for why in _why_broken(link, path, pages, folder)]
        for asset in page.loads:
            if _outside(asset):
                found.append(f"{here}: {asset}: loaded from elsewhere")
            else:
                found += [f"{here}: {asset}: {why}" for why in _why_broken(asset, path, pages, folder)]
    for path in sorted(folder.rglob("*.css")):
        for one in _IN_STYLE.finditer(path.read_text(encoding="utf-8")):
            if _outside(one[1] or one[2]):
                found.append(f"{path.relative_to(folder).as_posix()}: {one[0]}: loaded from elsewhere")
    return found


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _outside(link: str) -> bool:
    parts = urlsplit(link)
    return bool(parts.netloc) or parts.scheme in ("http", "https", "ftp")


def _why_broken(link: str, path: Path, pages: dict[Path, _Page], folder: Path) -> list[str]:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return []
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_relative_to(folder.resolve()):
        return ["leads out of the pages"]
    if not target.is_file():
        return ["no such file"]
    page = pages.get(target)
    if parts.fragment and page is not None and unquote(parts.fragment) not in page.ids:
        return ["no such place on that page"]
    return []
