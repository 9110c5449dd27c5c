"""Results of the embedded cohort as they may be shared, made once by the commands."""

from __future__ import annotations

import pytest
from command import compendium

NAME = "rdmas_reconstructed"


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A run of the embedded cohort and the folder to share made of it, by the commands."""
    output = tmp_path_factory.mktemp("output")
    done = compendium("run", NAME, "--output", output, figures="svg,png")
    assert done.returncode == 0, done.stderr
    folder = output / "shared"
    done = compendium("share", NAME, "--to", folder, "--output", output)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
