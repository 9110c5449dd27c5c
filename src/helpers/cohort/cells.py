"""One cell of a raw file as text: values as a CSV export shows them, signs that nobody sees taken out."""

import re
import unicodedata

import numpy as np

# Signs that no one types: controls, byte-order marks and zero-width blanks, marks of writing direction. The
# joiners of Persian and Indian words (U+200C, U+200D) belong to the spelling and stay.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e"
                     "\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff]")  # fmt: skip
_LINES = re.compile(r"\s*[\r\n\t\u2028\u2029]+\s*")
LONGEST_CELL = 10_000  # signs; longer than any name, term or note that a table or figure could show
_QUOTES = "'\"`‘’“”„‚«»"


def cell_text(value: object) -> str:
    """Return a stored value as the text a CSV export would show.

    >>> cell_text(3.0), cell_text(None), cell_text(True)
    ('3', '', 'yes')
    """
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def has_unseen(text: str) -> bool:
    """Tell whether a text holds control characters or other signs that nobody sees.

    >>> has_unseen("rash" + chr(0x200B)), has_unseen("rash")
    (True, False)
    """
    return _UNSEEN.search(text) is not None


def without_unseen(text: str) -> str:
    """Return a text in one line and without signs that nobody sees; one between two letters was a blank.

    Example:
        >>> without_unseen("rash" + chr(11) + "face")
        'rash face'
    """
    if text.isprintable():
        return text.strip()
    spaced = _UNSEEN.sub(lambda sign: " " if unicodedata.category(sign[0]) == "Cc" else "", text)
    return re.sub(r" {2,}", " ", _LINES.sub(" ", spaced)).strip() if spaced != text else _in_one_line(text)


def _in_one_line(text: str) -> str:
    return _LINES.sub(" ", text).strip()


def unquoted(text: str) -> str:
    """Return a text without quotation marks at its ends that do not belong to it.

    Pairs within the text stay: `so-called "cold"` ends with its own mark.

    Example:
        >>> unquoted("'R01"), unquoted('"R01"')
        ('R01', 'R01')
    """
    inner = text.strip(_QUOTES).strip()
    if not inner or inner == text or any(mark in inner for mark in _QUOTES):
        return text
    return inner
