"""What all tests share."""

from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine and what else it does, nothing about foretag.
settings.register_profile("foretag", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("foretag")
