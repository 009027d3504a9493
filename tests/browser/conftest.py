"""A fresh daemon with the portal, and a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser
from support.browser import chromium
from support.daemon import prepared
from support.portal_daemon import PortalDaemon, portal_daemon
from support.provider import FakeProvider


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest.fixture
async def daemon(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[PortalDaemon]:
    """Everybody may register."""
    made = await prepared(tmp_path, fake_provider.base_url)
    async with portal_daemon(made, SOFTIX_PORTAL_REGISTRATION="open") as served:
        yield served
