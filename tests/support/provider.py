"""The fake provider, as tests see it. What it can be told is listed in provider_server.py."""

from __future__ import annotations

from typing import Any

import aiohttp
from support.process import ServerProcess

TIMEOUT_S = 30


def fake(**directives: Any) -> dict[str, str]:
    """The header that tells the provider what to do: `fake(status=429, canary="x")`, `fake(truncate=True)`."""
    return {"x-fake": told(**directives)}


def told(**directives: Any) -> str:
    pairs = ((name.replace("_", "-"), value) for name, value in directives.items())
    return "; ".join(name if value is True else f"{name}={value}" for name, value in pairs)


class FakeProvider(ServerProcess):
    def __init__(self) -> None:
        super().__init__("provider_server.py")

    async def requests(self) -> list[dict[str, Any]]:
        """Since the last reset, in the order in which they came; `provider_books.Record` names the fields."""
        found: list[dict[str, Any]] = await self._control("requests")
        return found

    async def totals(self) -> dict[str, int]:
        """`requests finished hung_up input_tokens output_tokens`: of what costs, and tokens of whole answers only."""
        found: dict[str, int] = await self._control("totals")
        return found

    async def reset(self) -> None:
        """Opens all gates and begins new books; what is still on its way is booked in the old ones."""
        await self._control("reset")

    async def open(self, gate: str) -> None:
        """For who waits, and for who comes later."""
        await self._control(f"open/{gate}")

    async def waiting(self, gate: str, number: int = 1) -> None:
        """Returns once so many requests wait there."""
        await self._control(f"waiting/{gate}/{number}")

    async def until(self, what: str, number: int = 1) -> None:
        """Returns once this one of the totals has come so far."""
        await self._control(f"until/{what}/{number}")

    async def script(self, *steps: str) -> None:
        """What the next requests do, one each: `await provider.script(told(status=500), "", "stall")`."""
        await self._control("script", list(steps))

    async def _control(self, path: str, body: Any = None) -> Any:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(f"{self.base_url}/_control/{path}", json=body) as answer,
        ):
            answer.raise_for_status()
            return await answer.json()
