"""Where the pictures of `softix top` come from: the database of this machine, or another machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from softix_proxy.operations.metering import live
from softix_proxy.operations.metering.live import LiveView, LiveWish


class ShownPicture(NamedTuple):
    """One picture, as fields."""

    wish: LiveWish
    fields: Mapping[str, Any]


class ShownView(Protocol):
    async def look(self, wish: LiveWish) -> ShownPicture:
        """Returns what happens now. Raises NotFoundError for a filter that nothing has."""
        ...


class LocalView:
    """Reads the database."""

    def __init__(self, view: LiveView) -> None:
        self._view = view

    async def look(self, wish: LiveWish) -> ShownPicture:
        picture = await self._view.look(wish)
        return ShownPicture(picture.wish, live.as_fields(picture))
