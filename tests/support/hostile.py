"""The hostile provider, as tests see it. Its modes are listed in hostile_server.py."""

from __future__ import annotations

from typing import Any

import aiohttp
from support.process import ServerProcess


class HostileProvider(ServerProcess):
    def __init__(self) -> None:
        super().__init__("hostile_server.py")
        self.modes: list[str] = self.told["modes"]

    async def books(self, surplus_sent: int = 0) -> dict[str, Any]:
        """`modes`, in order of the requests, and `surplus_sent`: how often more was sent than was asked for.

        Waits until that is at least what is given.
        """
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.base_url}/_control/{surplus_sent}") as answer,
        ):
            found: dict[str, Any] = await answer.json()
            return found

    def model(self, mode: str) -> str:
        """A model's name that asks for a mode."""
        assert mode in self.modes
        return f"hostile.{mode}"
