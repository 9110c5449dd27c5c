"""Run one function of the package in a process of its own: ``python -m helpers.kernels.call``.

Standard input is an order, a JSON object: ``function`` (``module:name``), ``arguments`` and ``paths`` (the
names of those arguments that are paths). A process of its own keeps drawing libraries out of the runner's
threads.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def call_function(order: dict[str, Any]) -> None:
    """Call the function that an order names."""
    module, _, name = order["function"].partition(":")
    arguments = {
        key: Path(value) if key in order["paths"] else value for key, value in order["arguments"].items()
    }
    getattr(importlib.import_module(module), name)(**arguments)


def main() -> None:
    """Call the function that the order on standard input names."""
    call_function(json.load(sys.stdin))


if __name__ == "__main__":
    main()
