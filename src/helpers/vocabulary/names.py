"""Spellings: the forms in which names and units are compared."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

# A name is only suggested where it is this much alike: one letter, or two of a long name.
_ALIKE = 0.9


def fold(text: str) -> str:
    """Return a name in the form in which spellings are compared: case, spaces, hyphens and _ ignored.

    Example:
        >>> fold(" Solu-Medrol（IV） ")
        'solu medrol(iv)'
    """
    return re.sub(r"[\s_\-]+", " ", str(text).strip().casefold().replace("（", "(").replace("）", ")"))


def normalise_unit(unit: str) -> str:
    """Return a unit in the form in which spellings are compared.

    Case, blanks and the typography of powers of ten and of micro are ignored:
    `×10⁹/L`, `10*9/L`, `10E9/l` and `10^9/L` are one unit.

    Example:
        >>> normalise_unit("×10⁹/L") == normalise_unit("10E9/l")
        True
    """
    text = str(unit).strip().replace("µ", "u").replace("μ", "u").replace("／", "/").casefold()
    for sign, power in (("²", "^2"), ("³", "^3"), ("⁶", "^6"), ("⁹", "^9")):
        text = text.replace(sign, power)
    text = re.sub(r"\s+", "", text)
    text = re.sub(r"^[×x*]+(?=10)", "", text)
    text = re.sub(r"^10(?:\*|e|\*\*)(?=\d)", "10^", text)
    return text.replace("mm3", "mm^3").replace("m^2", "m2").replace("mcg", "ug")


def near(text: str, spellings: Iterable[str]) -> str | None:
    """Return the spelling that `text` is most likely a slip of, or None; spellings are folded ones.

    Nothing is returned where more than a letter or two differ, since names of other things are that near.

    Example:
        >>> near("tocilizumb", ["tocilizumab", "siltuximab"])
        'tocilizumab'
    """
    found = get_close_matches(fold(text), list(spellings), n=1, cutoff=_ALIKE)
    return found[0] if found else None


def in_text(label: str) -> str:
    """Return a label for the middle of a sentence: no unit, small first letter unless it is an acronym.

    Example:
        >>> in_text("Aspartate aminotransferase, U/L"), in_text("LDH, U/L")
        ('aspartate aminotransferase', 'LDH')
    """
    name = label.rpartition(", ")[0] or label
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
