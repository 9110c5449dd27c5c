"""In which encoding a text file was written: decided on what it holds, and named."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, get_args

Encoding = Literal["utf-8", "utf-16", "gb18030", "big5", "cp1252", "cp1250", "shift_jis", "euc_kr"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)

_FOREIGN = re.compile(r"[^\x00-\x7f]+")
# Western signs that stand beside figures rather than in words.
_WESTERN_SIGNS = frozenset("°µ²³±×·–—‘’“”…€§ºª")
# A share of the characters beyond ASCII that must look right before an encoding is believed.
_ENOUGH = 0.8


@dataclass(frozen=True)
class Decoded:
    """A file's text and the encoding it was read in; `certain` where no other one was possible."""

    text: str
    encoding: Encoding
    certain: bool


def decode(data: bytes, encoding: Encoding | None = None) -> Decoded | None:
    """Return the text of a file, or None where its encoding cannot be told.

    UTF-8 (and UTF-16 with its mark) prove themselves. Otherwise the text is read both as Chinese (GB18030)
    and as Western European (cp1252), and the reading counts whose characters beyond ASCII make sense:
    Chinese ones of the everyday set GB2312, or one or two letters within a word of Latin letters. A file in
    which neither makes sense is not guessed at.

    Args:
        data: the file.
        encoding: the encoding that the cohort's settings give; None to decide on the content.

    Example:
        >>> decode("Anämie".encode("cp1252")).text
        'Anämie'
        >>> decode("发热".encode("gb18030")).text
        '发热'
    """
    if encoding is not None:
        text = _strict(data, "utf-8-sig" if encoding == "utf-8" else encoding)
        return None if text is None else Decoded(text, encoding, certain=True)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = _strict(data, "utf-16")
        return None if text is None else Decoded(text, "utf-16", certain=True)
    if b"\x00" in data:
        return None
    text = _strict(data, "utf-8-sig")
    if text is not None:
        return Decoded(text, "utf-8", certain=True)
    readings: list[tuple[float, Encoding, str]] = []
    for name, share in (("gb18030", _chinese_share), ("cp1252", _western_share)):
        text = _strict(data, name)
        if text is not None:
            readings.append((share(text), name, text))  # type: ignore[arg-type]
    best = max(readings, key=lambda reading: reading[0], default=(0.0, "gb18030", ""))
    return Decoded(best[2], best[1], certain=False) if best[0] >= _ENOUGH else None


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _chinese_share(text: str) -> float:
    """Share of the characters beyond ASCII that GB2312 has, the set of everyday Chinese."""
    foreign = "".join(_FOREIGN.findall(text))
    known = sum(_in_gb2312(sign) for sign in foreign)
    return known / len(foreign) if foreign else 0.0


def _in_gb2312(sign: str) -> bool:
    # Raised figures of units are outside, yet ordinary in laboratory exports.
    if sign in "⁰¹²³⁴⁵⁶⁷⁸⁹µ↑↓≤≥":
        return True
    try:
        return len(sign.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


def _western_share(text: str) -> float:
    """Share of the characters beyond ASCII that are one or two letters in a Latin word, or a Western sign."""
    good = total = 0
    for run in _FOREIGN.finditer(text):
        total += len(run[0])
        beside = text[max(0, run.start() - 1) : run.start()] + text[run.end() : run.end() + 1]
        latin = all(unicodedata.name(sign, "").startswith("LATIN") for sign in run[0])
        if len(run[0]) <= 2 and latin and any(sign.isalpha() for sign in beside):
            good += len(run[0])
        else:
            good += sum(sign in _WESTERN_SIGNS for sign in run[0]) if len(run[0]) <= 2 else 0
    return good / total if total else 0.0
