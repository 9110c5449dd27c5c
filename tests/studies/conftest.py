from pathlib import Path

import pytest
from studies import write_study


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """Write a study once; returns its folder by name."""
    root, written = tmp_path_factory.mktemp("studies"), {}

    def folder(name: str) -> Path:
        if name not in written:
            written[name] = write_study(name, root / name)
        return written[name]

    return folder
