"""Fixtures for every test: servers that are started at their first use and shared by the tests of one worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings
from support.fake_stripe import FakeStripe, serving_stripe
from support.hostile import HostileProvider
from support.provider import FakeProvider

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # how long an example takes says nothing about it


@pytest.fixture(scope="session")
def shared_provider() -> Iterator[FakeProvider]:
    provider = FakeProvider()
    yield provider
    provider.stop()


@pytest.fixture
async def fake_provider(shared_provider: FakeProvider) -> AsyncIterator[FakeProvider]:
    """A process of its own, with empty books."""
    await shared_provider.reset()
    yield shared_provider
    await shared_provider.reset()


@pytest.fixture(scope="session")
def hostile_provider() -> Iterator[HostileProvider]:
    provider = HostileProvider()
    yield provider
    provider.stop()


@pytest.fixture
async def fake_stripe() -> AsyncIterator[FakeStripe]:
    """One for each test."""
    async with serving_stripe(FakeStripe()) as served:
        yield served
