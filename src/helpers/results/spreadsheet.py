"""Texts in csv files that no spreadsheet takes for a formula, and that come back as they were.

>>> harmless("=1+1"), harmless("-0.5"), harmless("@home"), harmless("+3 points")
("'=1+1", '-0.5', "'@home", "'+3 points")
>>> as_meant("'=1+1"), as_meant(harmless("'=1+1")), as_meant("-0.5")
('=1+1', "'=1+1", '-0.5')
"""

import re

# What a spreadsheet may take for a formula, also behind a tab or the end of a line, and what stands for it.
_FORMULA = re.compile(r"'*\s*[=+\-@]")
_NUMBER = re.compile(r"[+-]?(inf|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?%?)")


def harmless(text: str) -> str:
    """Text with an apostrophe before ``= + - @``; numbers stay as they are."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def as_meant(text: str) -> str:
    """Text of which :func:`harmless` has made this one."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
