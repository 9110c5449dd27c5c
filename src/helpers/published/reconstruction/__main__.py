"""Write a reconstructed cohort folder: `python -m helpers.published.reconstruction --seed N --output DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from helpers.errors import CompendiumError
from helpers.published.ledger import read_ledger
from helpers.published.reconstruction.card import DEFAULT_SEED
from helpers.published.reconstruction.cohort import write_cohort


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns the exit status (1: printed values clash or the ledger is unusable)."""
    parser = argparse.ArgumentParser(prog="python -m helpers.published.reconstruction", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=DEFAULT_SEED, help="seed of every random draw (default %(default)s)"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder that receives the cohort")
    parser.add_argument("--ledger", type=Path, help="ledger csv (default: the one in data/published)")
    options = parser.parse_args(arguments)
    try:
        files = write_cohort(options.output, ledger=read_ledger(options.ledger), seed=options.seed)
    except CompendiumError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(str(path) for path in files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
