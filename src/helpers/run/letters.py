"""Letters that figures would show as boxes, asked of a cohort before anything is drawn."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers.cohort.config import CONFIG_FILE, read_config
from helpers.cohort.installed import AMERICAN, ENGLISH
from helpers.problems import Problem

# Tables of which figures show words; those of the measurements are the vocabulary's.
_DRAWN = ("patients", "treatments", "responses", "events")
_NAMED = 20


def letter_problems(folder: Path) -> list[Problem]:
    """A warning that names the letters of settings and tables which no installed font has; none where all do.

    Args:
        folder: the cohort's folder.

    >>> letter_problems(folder)
    []
    """
    if not (folder / CONFIG_FILE).is_file():
        return []
    config = read_config(folder).config
    texts = list(_strings(config.model_dump(mode="json")))
    files = (folder / f"{table}.csv" for table in _DRAWN)
    texts += [file.read_text(encoding="utf-8", errors="ignore") for file in files if file.is_file()]
    if config.report.language in (ENGLISH, AMERICAN) and all(map(str.isascii, texts)):
        return []
    from helpers.report.figures.output.fonts import installed_font, without_a_font
    from helpers.report.text.wording import LANGUAGE_TAGS, Wording

    fonts, language = config.report.cjk_fonts, config.report.language
    missing = without_a_font(texts, fonts)
    eastern = language in LANGUAGE_TAGS and Wording.of(language, config).eastern
    if eastern and not installed_font(fonts):
        effect = "figures stay English, with boxes for the letters of your own words"
    elif missing:
        effect = "figures show a box for each"
    else:
        return []
    found = f"letters that no installed font has{': ' if missing else ''}{missing[:_NAMED]}"
    remedy = f"{effect}; `make chinese-font` brings a font for Chinese, or name one that you have"
    return [
        Problem(CONFIG_FILE, None, "report.cjk_fonts", found, "a font for every letter", remedy, "warning")
    ]


def _strings(value: Any) -> Iterator[str]:
    """Every text in a value made of JSON's types."""
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(one)
