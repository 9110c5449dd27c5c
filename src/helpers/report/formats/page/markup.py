"""Small pieces of markup: escaping, links to statistics, identifiers of the page."""

from __future__ import annotations

from html import escape

from helpers.report.text.prose import Declared, Fragment, Number, Prose, Reference


def text(content: object) -> str:
    """Return content as text of the page."""
    return escape(str(content), quote=False)


def attribute(content: object) -> str:
    """Return content as the value of an attribute."""
    return escape(str(content), quote=True)


def anchor(identifier: str) -> str:
    """Return the page's identifier of a statistic's row."""
    return f"stat-{identifier}"


def number_link(shown: str, identifier: str, part: str = "") -> str:
    """Return a number as a link to its row; ``shown`` is markup."""
    about = f' data-part="{attribute(part)}"' if part else ""
    return (
        f'<a class="n" href="#{attribute(anchor(identifier))}" data-statistic="{attribute(identifier)}"'
        f"{about}>{shown}</a>"
    )


def prose(content: Prose) -> str:
    """Return prose as markup: numbers lead to their row, labels of exhibits to the exhibit."""
    return "".join(_fragment(fragment) for fragment in content)


def _fragment(fragment: Fragment) -> str:
    if isinstance(fragment, Number):
        return number_link(text(fragment.text), fragment.id, fragment.part)
    if isinstance(fragment, Declared):
        return f'<span class="d" data-setting="{attribute(fragment.key)}">{text(fragment.text)}</span>'
    if isinstance(fragment, Reference):
        return f'<a href="#{attribute(fragment.name)}">{text(fragment.text)}</a>'
    return text(fragment)
