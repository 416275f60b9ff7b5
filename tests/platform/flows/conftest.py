"""A sandbox with one process flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.platform.keys import SigningKey
from tests.platform.flows.sending import SEED, Flows


@pytest.fixture
def make_flows(signing_key: SigningKey) -> Callable[..., Flows]:
    """Make sandboxes with one flow and the given settings."""
    return lambda **settings: Flows(Sandbox(SEED, settings=settings, signing_key=signing_key))


@pytest.fixture
def flows(make_flows: Callable[..., Any]) -> Flows:
    """A sandbox with one flow."""
    made: Flows = make_flows()
    return made
