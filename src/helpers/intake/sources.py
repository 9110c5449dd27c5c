r"""All source files of a cohort read and parted into tables, the same way whenever the mapping is replayed.

>>> import tempfile
>>> place = Path(tempfile.mkdtemp())
>>> (place / "lab.csv").write_text("patient,ferritin\nR01,900\n", encoding="utf-8")
25
>>> [path.name for path in source_files(place)]
['lab.csv']
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers.intake.grids import Block, Grid
from helpers.intake.layout import blocks_of
from helpers.intake.lexicon import Lexicon
from helpers.intake.mapping import SourceFile
from helpers.intake.readers import READERS, read_file
from helpers.intake.redcap import is_dictionary, with_dictionary
from helpers.problems import Problem


@dataclass(frozen=True)
class Sources:
    """What stands in the files.

    Attributes:
        blocks: tables, in the order of files and sheets.
        problems: what could not be read.
        notes: how each file was read, by its name.
        dictionaries: files that describe others, by name.
    """

    blocks: list[Block]
    problems: list[Problem]
    notes: dict[str, str]
    dictionaries: frozenset[str] = frozenset()


def source_files(folder: Path) -> list[Path]:
    """Return the files of a folder that can be read, by name; hidden files and folders are left out."""
    if not folder.is_dir():
        return []
    files = (path for path in folder.iterdir() if path.is_file() and not path.name.startswith((".", "~")))
    return sorted((path for path in files if path.suffix.casefold() in READERS), key=lambda path: path.name)


def read_sources(folder: Path, choices: Mapping[str, SourceFile], lexicon: Lexicon) -> Sources:
    r"""Read every file of a folder and find the tables in it.

    Args:
        folder: the folder `source` of a cohort.
        choices: how files are read where it was decided, by name.
        lexicon: words by which headers are told from data.

    >>> import tempfile
    >>> from helpers.vocabulary.reading import shipped_vocabulary
    >>> place = Path(tempfile.mkdtemp())
    >>> (place / "lab.csv").write_text("patient,ferritin\nR01,900\n", encoding="utf-8")
    25
    >>> read_sources(place, {}, Lexicon(shipped_vocabulary())).blocks[0].names
    ('patient', 'ferritin')
    """
    grids: list[Grid] = []
    problems: list[Problem] = []
    notes: dict[str, str] = {}
    for path in source_files(folder):
        chosen = choices.get(path.name, SourceFile(name=path.name))
        found = read_file(path, {"encoding": chosen.encoding, "separator": chosen.separator})
        if isinstance(found, Problem):
            problems.append(found)
            continue
        grids += found
        problems += [problem for grid in found for problem in grid.problems]
        notes[path.name] = "; ".join(dict.fromkeys(note for grid in found for note in grid.notes if note))
    blocks = [block for grid in with_dictionary(grids) for block in blocks_of(grid, lexicon)]
    return Sources(blocks, problems, notes, frozenset(grid.file for grid in grids if is_dictionary(grid)))
