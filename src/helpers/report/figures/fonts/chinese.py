"""A free Chinese font for figures: ``python -m helpers.report.figures.fonts.chinese``, once, with a network.

Noto Sans SC (SIL Open Font License 1.1) is taken from the npm registry as `@expo-google-fonts/noto-sans-sc`
has it, of one version and with one digest, cut to the characters of GB 2312 and those of this project's
texts, and put beside the environment, where figures find it. Nothing is fetched at any other time.

>>> font_folder().name
'fonts'
>>> "发" in characters()
True
"""

from __future__ import annotations

import base64
import hashlib
import io
import sys
import tarfile
import urllib.request
from functools import cache
from importlib.resources import files
from pathlib import Path

from helpers.errors import CompendiumError

FAMILY = "Compendium Sans SC"
ADDRESS = "https://registry.npmjs.org/@expo-google-fonts/noto-sans-sc/-/noto-sans-sc-0.4.3.tgz"
SHA512 = "9rAwdFTFHbO/u6Cs0gj2jZbW74TGIiaFNQnXYH2s5wA1bzVkwbaviL4t8YUV642eGYjg86eH6DkAEQmfNHDncQ=="
STYLES = {"Regular": "400Regular", "Bold": "700Bold"}
_SECONDS = 120
# Chinese signs and letters of full width that texts use beside those of GB 2312.
_MORE = "，。；：？！“”‘’（）《》【】、—…·～％＋－×÷≤≥±℃µμ"


class FontFetchError(CompendiumError):
    """The font could not be fetched, or is not the one expected."""


def font_folder() -> Path:
    """Return the folder of the environment that holds the cut font."""
    return Path(sys.prefix) / "share" / "compendium" / "fonts"


def chinese_fonts() -> list[Path]:
    """Return the files of the font, none where it was not fetched."""
    return sorted(font_folder().glob("CompendiumSansSC-*.ttf"))


@cache
def characters() -> frozenset[str]:
    """Return the characters that the cut font has, as far as the whole one has them."""
    common = {bytes([row, cell]).decode("gb2312", "ignore") for row in range(0xA1, 0xF8)
              for cell in range(0xA1, 0xFF)}  # fmt: skip
    texts = "".join(
        entry.read_text(encoding="utf-8")
        for entry in (files("helpers.report.text") / "zh").iterdir() if entry.name.endswith((".toml", ".md"))
    )  # fmt: skip
    ascii_signs = {chr(code) for code in range(0x20, 0x7F)}
    return frozenset("".join(common)) | frozenset(texts + _MORE) | ascii_signs


def fetch(address: str = ADDRESS, digest: str = SHA512, folder: Path | None = None) -> list[Path]:
    """Fetch the font, cut it and write it; return the files.

    Args:
        address: of the package's archive.
        digest: its SHA-512 in base 64, as the registry prints it.
        folder: where the files go; that of the environment where none is given.

    Raises:
        FontFetchError: no network, or another archive than expected.
    """
    target = folder or font_folder()
    target.mkdir(parents=True, exist_ok=True)
    written = []
    with tarfile.open(fileobj=io.BytesIO(_archive(address, digest))) as archive:
        for style, name in STYLES.items():
            member = next((one for one in archive.getmembers() if one.name.endswith(f"_{name}.ttf")), None)
            content = archive.extractfile(member) if member is not None else None
            if content is None:
                raise FontFetchError(
                    f"{address} holds no {name}.", remedy="Name a font under [report] cjk_fonts."
                )
            path = target / f"CompendiumSansSC-{style}.ttf"
            path.write_bytes(_cut(content.read(), style))
            written.append(path)
    return written


def _archive(address: str, digest: str) -> bytes:
    remedy = (
        "Try again with a network, or install a font and name it under [report] cjk_fonts in cohort.toml."
    )
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
            found = bytes(answer.read())
    except OSError as error:
        raise FontFetchError(f"{address} cannot be fetched ({error}).", remedy=remedy) from error
    if base64.b64encode(hashlib.sha512(found).digest()).decode() != digest:
        raise FontFetchError(f"{address} is not the archive that was looked at.", remedy=remedy)
    return found


def _cut(content: bytes, style: str) -> bytes:
    """Return the font with the characters that are needed, under a name of its own as its licence asks."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(hinting=False, notdef_outline=True, glyph_names=False)
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "vhea", "vmtx", "DSIG", "gasp", "meta"]
    options.recalc_timestamp = False
    font = TTFont(io.BytesIO(content), recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(characters())))
    subsetter.subset(font)
    names = {
        1: FAMILY, 2: style, 3: f"{FAMILY} {style}; from Noto Sans SC", 4: f"{FAMILY} {style}",
        6: f"{FAMILY.replace(' ', '')}-{style}",
    }  # fmt: skip
    for record in list(font["name"].names):
        if record.nameID in names:
            record.string = names[record.nameID]
        elif record.nameID in (16, 17, 21, 22, 25):
            font["name"].names.remove(record)
    cut = io.BytesIO()
    font.save(cut)
    return cut.getvalue()


if __name__ == "__main__":
    try:
        for each in fetch():
            print(each)
    except CompendiumError as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)
