"""Personal data in the cells of a hospital's file: found by header and by pattern, never passed on."""

import re
from collections.abc import Collection, Iterable, Iterator

REMOVED = "[removed]"

_NATIONAL_ID = r"[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
_MOBILE = r"(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}"
_PHONE = r"(?:\+\d{1,3}[ -]?)?\(?0\d{2,3}\)?[ -]?\d{3,4}[ -]?\d{4}"
_INTERNATIONAL = r"\+\d{1,3}(?:[ -]?\d{2,4}){3,4}"
_SOCIAL = r"\d{3}-\d{2}-\d{4}"
_MAIL = r"[\w.+-]+@[\w-]+\.[\w.-]+"
_PATTERNS = {
    "a national id": re.compile(rf"(?<!\d){_NATIONAL_ID}(?!\d)"),
    "a phone number": re.compile(rf"(?<![\d.])(?:{_MOBILE}|{_PHONE}|{_INTERNATIONAL})(?![\d.])"),
    "a social security number": re.compile(rf"(?<!\d){_SOCIAL}(?!\d)"),
    "a mail address": re.compile(_MAIL),
}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# The commonest family names of China; a cell of two to four signs that begins with one may be a name.
_FAMILY = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔牛葛赖庞樊殷施洪伍艾梅柳"
)
_CHINESE_NAME = re.compile(r"^[\u4e00-\u9fff]{2,4}$")
_ENOUGH = 0.8
_SHORTEST_NAME = 2
_DIGITS_OF_HOSPITALS = 6


def is_national_id(text: str) -> bool:
    """Return whether a text is a Chinese identity number with its right last sign (GB 11643-1999).

    Example:
        >>> is_national_id("11010519491231002X"), is_national_id("110105194912310021")
        (True, False)
    """
    if not re.fullmatch(_NATIONAL_ID, text):
        return False
    remainder = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, text, strict=False)) % 11
    return "10X98765432"[remainder] == text[-1].upper()


def personal_data_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the words of personal data that stand in a text, told by their pattern.

    A national id needs its right last sign: numbers of eighteen digits are not rare where results are stored.

    Example:
        >>> list(personal_data_in("ring 13812345678"))
        [('a phone number', '13812345678')]
    """
    for kind, pattern in _PATTERNS.items():
        for found in pattern.finditer(text):
            if kind != "a national id" or is_national_id(found[0]):
                yield kind, found[0]


def looks_like_name(text: str) -> bool:
    """Return whether a cell may be a Chinese name: two to four signs, a common family name first.

    Example:
        >>> looks_like_name("张伟明"), looks_like_name("ferritin")
        (True, False)
    """
    return bool(_CHINESE_NAME.match(text)) and text[0] in _FAMILY


def kind_of_cells(texts: Collection[str]) -> str:
    """Return which personal data most of the cells of a column hold, in words; empty if none.

    Names are only seen where they are Chinese and differ from patient to patient; others are told by headers.

    Example:
        >>> kind_of_cells(["13812345678", "13912345678"])
        'a phone number'
    """
    filled = [text for text in texts if text]
    if not filled:
        return ""
    for kind, pattern in _PATTERNS.items():
        if sum(pattern.fullmatch(text) is not None for text in filled) >= _ENOUGH * len(filled):
            return kind
    names = sum(map(looks_like_name, filled))
    if len(filled) >= 4 and names >= _ENOUGH * len(filled) and len(set(filled)) >= 0.7 * len(filled):
        return "a name"
    return ""


def needs_new_ids(ids: Collection[str]) -> str:
    """Return why ids of a file must not be passed on, in words; empty if they look like those of a study.

    Example:
        >>> needs_new_ids(["R01", "C12"]), needs_new_ids(["00734112", "00734113"])
        ('', 'numbers as long as those of a hospital')
    """
    kind = kind_of_cells(ids)
    if kind:
        return kind
    filled = [text for text in ids if text]
    long = sum(len(re.sub(r"\D", "", text)) >= _DIGITS_OF_HOSPITALS for text in filled)
    if filled and long >= 0.5 * len(filled):
        return "numbers as long as those of a hospital"
    words = sum(bool(re.fullmatch(r"[^\W\d_]{2,}(?:[ ,.'-]+[^\W\d_]+)+", text)) for text in filled)
    return "names" if filled and words >= 0.5 * len(filled) else ""


class Scrubber:
    """Takes personal data out of free text: patterns, and what columns of personal data held.

    Args:
        known: names, hospital numbers and the like that stood in columns which were left out.

    Example:
        >>> Scrubber(["张伟明"]).clean("家属张伟明来电 13812345678")
        '家属[removed]来电 [removed]'
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        words = sorted({text for text in known if len(text) >= _SHORTEST_NAME}, key=lambda t: (-len(t), t))
        chinese = [re.escape(word) for word in words if not word.isascii()]
        latin = [rf"(?<!\w){re.escape(word)}(?!\w)" for word in words if word.isascii() and len(word) > 2]
        self._known = re.compile("|".join([*chinese, *latin])) if chinese or latin else None

    def clean(self, text: str) -> str:
        """Return a text without personal data; what was taken out is shown as such."""
        for pattern in _PATTERNS.values():
            text = pattern.sub(REMOVED, text)
        return self._known.sub(REMOVED, text) if self._known else text


def masked(text: str) -> str:
    """Return how a cell that may be personal is shown where examples are: its form alone.

    Example:
        >>> masked("138-1234 A")
        '999-9999 •'
    """
    return re.sub(r"[^\W\d_]", "•", re.sub(r"\d", "9", text))
