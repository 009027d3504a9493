from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.portal import Portal
from support.visitor import PASSWORD, Visitor


@pytest.fixture
async def ada(portal: Portal) -> AsyncIterator[Visitor]:
    """She is signed in by her password, and has no second factor yet."""
    visitor = Visitor(portal, await portal.account(password=PASSWORD))
    done = await visitor.sign_in()
    assert (done.status, done.location) == (303, "/"), done.text
    yield visitor
