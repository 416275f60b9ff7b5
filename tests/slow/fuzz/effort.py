"""How much a test may try: a share of what the profile allows, so that a profile means all of them."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

ABOUT_SPEED = [HealthCheck.too_slow, HealthCheck.data_too_large]
"""What depends on how busy the machine is."""


def share(part: float, steps: int = 50) -> settings:
    """Return settings for a part of the profile's examples, each of up to ``steps`` steps of a state machine."""
    examples = max(1, round(settings().max_examples * part))
    return settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=ABOUT_SPEED)
