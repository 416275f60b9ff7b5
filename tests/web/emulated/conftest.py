"""Sandboxes of both wire profiles."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Integration


@pytest.fixture(params=["modern", "legacy"])
def profile(request: pytest.FixtureRequest) -> str:
    """Both wire profiles, one after the other."""
    name: str = request.param
    return name


@pytest.fixture
def both(make_integration: Callable[..., Integration], profile: str) -> Integration:
    """An integration with a fresh sandbox, in each profile."""
    return make_integration(wire_profile=profile)


@pytest.fixture
def modern(make_integration: Callable[..., Integration]) -> Integration:
    """An integration with a fresh sandbox of the modern profile."""
    return make_integration(wire_profile="modern")


@pytest.fixture
def legacy(make_integration: Callable[..., Integration]) -> Integration:
    """An integration with a fresh sandbox of the legacy profile."""
    return make_integration(wire_profile="legacy")
