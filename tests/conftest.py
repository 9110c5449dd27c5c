"""Settings of all tests."""

import pytest
from hypothesis import HealthCheck, settings

# How fast examples are made and tried says how busy the machine is, and nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture
def no_fetched_font(monkeypatch):
    """As on a machine on which set-up has fetched no Chinese font."""
    from helpers.report.figures.output import fonts

    monkeypatch.setattr(fonts, "FETCHED", "No Such Font")
