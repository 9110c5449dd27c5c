"""Run one function of the package in a process of its own: ``python -m helpers.pipeline.call``.

Standard input is a JSON object: ``function`` (``module:name``), ``arguments`` and ``paths`` (the names
of those arguments that are paths). A process of its own keeps drawing libraries out of the runner's
threads.
"""

import importlib
import json
import sys
from pathlib import Path


def main() -> None:
    """Call the function that standard input names."""
    order = json.load(sys.stdin)
    module, _, name = order["function"].partition(":")
    arguments = {
        key: Path(value) if key in order["paths"] else value for key, value in order["arguments"].items()
    }
    getattr(importlib.import_module(module), name)(**arguments)


if __name__ == "__main__":
    main()
