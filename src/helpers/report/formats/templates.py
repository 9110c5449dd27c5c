"""HTML pages from templates: what is put into one is escaped, unless this package has made it as markup.

>>> compile_templates()
>>> anchor("survival.death.all.day_56.deaths"), len(asset("report.css")) > 0
('stat-survival.death.all.day_56.deaths', True)
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from operator import attrgetter
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from helpers.report.text.prose import Citation, Declared, Number, Reference, Styled

_FOLDER = "templates"


def rendered(template: str, **values: Any) -> Markup:
    """Return a page or fragment.

    Args:
        template: file name, such as ``table.html``.
        **values: what the template shows; texts are escaped.
    """
    return Markup(_environment().get_template(template).render(**values))


def asset(name: str) -> Markup:
    """Return a style sheet or script of this package, to be put into a page as it is."""
    return Markup(template_text(name))


def template_text(name: str) -> str:
    """Return a file of the templates' folder as it is."""
    return (files("helpers.report.formats") / _FOLDER / name).read_text(encoding="utf-8")


def content_policy(script: str = "") -> Markup:
    """Return the tag by which a page asks nothing of a network and runs no script but its own.

    Whatever stands in a page, a browser neither fetches nor executes it. A page in a frame is bound by the
    page around it as well. Source: W3C, Content Security Policy Level 3.

    Args:
        script: what stands between the page's own script tags; no script runs if it is empty.

    >>> "script-src" in content_policy(), "script-src 'sha256-" in content_policy("alert()")
    (False, True)
    """
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f" script-src 'sha256-{own}';" if script else ""
    fetched = "default-src 'none'; img-src data:; style-src 'unsafe-inline';"
    policy = f"{fetched}{allowed} base-uri 'none'; form-action 'none'"
    return Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">')


def anchor(identifier: str) -> str:
    """Return the page's identifier of a statistic's row."""
    return f"stat-{identifier}"


def compile_templates() -> None:
    """Compile the pages, so that processes forked from this one need not."""
    environment = _environment()
    for name in environment.list_templates(extensions=["html"]):
        environment.get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("helpers.report.formats", _FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    kinds = {"a_number": Number, "declared": Declared, "reference": Reference}
    kinds |= {"citation": Citation, "styled": Styled}
    for name, kind in kinds.items():
        environment.tests[name] = lambda value, kind=kind: isinstance(value, kind)
    environment.globals["content_policy"] = content_policy
    environment.filters["anchor"] = anchor
    environment.filters["groupby_in_order"] = _grouped
    environment.filters["identifier"] = lambda text: re.sub(r"\W+", "-", text).strip("-")
    return environment


def _grouped(items: Iterable[Any], name: str) -> list[tuple[Any, list[Any]]]:
    """Return runs of neighbours that are alike in an attribute."""
    return [(key, list(group)) for key, group in itertools.groupby(items, key=attrgetter(name))]
