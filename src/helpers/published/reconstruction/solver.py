"""The constraint solver, which only the reconstruction of a cohort needs."""

from types import ModuleType

from helpers.errors import CompendiumError


def constraint_solver() -> ModuleType:
    """The CP-SAT module of OR-Tools.

    Raises:
        CompendiumError: OR-Tools is not installed.

    >>> constraint_solver().__name__
    'ortools.sat.python.cp_model'
    """
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        raise CompendiumError(
            "Reconstructing a cohort needs OR-Tools, which is not installed.",
            remedy="`uv sync --extra reconstruction` installs it.",
        ) from None
    return cp_model
