"""Imports that take longer, as on a busy machine, so that threads that import meet: for `make soak` only.

Python imports this at its start where the folder is on `PYTHONPATH`. Some modules, others in each process,
wait before they are executed, while their lock is held; how long at most is another time in each process, so
that what processes and threads do meets at every stage.
"""

import importlib.machinery
import os
import random
import sys
import time
from collections.abc import Sequence
from types import ModuleType

SETTING = "COMPENDIUM_SOAK_IMPORTS"  # seed, share of the modules that wait, longest wait in seconds, packages


class SlowFinder:
    """Finds nothing, after a while."""

    def __init__(self, seed: str, share: float, longest: float, packages: set[str]) -> None:
        self._chance = random.Random(f"{seed} {sys.argv} {os.getppid()} {os.getpid()}")
        self._share, self._packages = share, packages
        self._longest = self._chance.uniform(0, longest)

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] in self._packages and self._chance.random() < self._share:
            time.sleep(self._chance.uniform(0, self._longest))
        return None


if SETTING in os.environ:
    seed, share, longest, *packages = os.environ[SETTING].split()
    sys.meta_path.insert(0, SlowFinder(seed, float(share), float(longest), set(packages)))
