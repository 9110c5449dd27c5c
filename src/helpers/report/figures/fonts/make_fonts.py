"""Make the fonts of this folder from Liberation Sans: ``python make_fonts.py FOLDER_OF_LIBERATION_SANS``.

Liberation Sans has the widths of Arial and Helvetica, which journals ask for. Kept are the signs of western
European languages, Greek, arrows and mathematics. Tables that lay out other scripts are left out: reading
them took longer than drawing a figure, at each PDF. Its licence lets a modified font not keep the name.
"""

import sys
from pathlib import Path

FAMILY = "Compendium Sans"
STYLES = ("Regular", "Bold", "Italic", "BoldItalic")
UNICODES = "0020-017F,0192,02C6-02DD,0370-03FF,2010-203A,2044,2070-209F,20AC,2100-214F,2150-218F,2190-21FF"
MATHEMATICS = "2200-22FF,2300-23FF,2500-25FF,2600-267F,2713-2718,FB01-FB02"
DROPPED = ["GSUB", "GPOS", "GDEF", "FFTM", "kern", "DSIG", "LTSH", "VDMX", "hdmx", "PCLT", "gasp", "meta"]


def make_font(source: Path, target: Path, style: str) -> None:
    """Write one style with fewer glyphs and tables, and its own name."""
    from fontTools import subset

    options = subset.Options(hinting=False, notdef_outline=True, recommended_glyphs=True, glyph_names=False)
    options.drop_tables += DROPPED
    options.recalc_timestamp = False
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=subset.parse_unicodes(f"{UNICODES},{MATHEMATICS}"))
    subsetter.subset(font)
    spoken = style.replace("BoldItalic", "Bold Italic")
    names = {
        1: FAMILY,
        2: spoken,
        3: f"{FAMILY} {spoken}; from Liberation Sans 2",
        4: f"{FAMILY} {spoken}",
        6: f"{FAMILY.replace(' ', '')}-{style}",
    }
    for record in list(font["name"].names):
        if record.nameID in names:
            record.string = names[record.nameID]
        elif record.nameID in {16, 17, 18, 21, 22, 7}:
            font["name"].names.remove(record)
    subset.save_font(font, str(target), options)


if __name__ == "__main__":
    for each in STYLES:
        here = Path(__file__).parent / f"CompendiumSans-{each}.ttf"
        make_font(Path(sys.argv[1]) / f"LiberationSans-{each}.ttf", here, each)
