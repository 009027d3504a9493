"""The portal with pages that tests make up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.portal import Portal, serving_portal

from softix_proxy.web.portal.route_table import ROUTES

Serve = Callable[..., AbstractAsyncContextManager[Portal]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """`async with serve(routes, trusted_proxies=…) as portal`."""
    return partial(serving_portal, tmp_path)


@pytest.fixture
async def portal(serve: Any) -> AsyncIterator[Portal]:
    """The portal with all its own pages."""
    async with serve(ROUTES) as served:
        yield served
