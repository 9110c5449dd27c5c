"""Settings of all tests."""

from hypothesis import HealthCheck, settings

# How fast examples are made and tried says how busy the machine is, and nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
