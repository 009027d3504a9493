from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from support.abuse_places import NOW_US, at_home
from support.abuse_traffic import NOW_HOUR, key_use

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.operations.abuse.key_places import places_of


async def test_places_of_a_key_are_those_of_five_weeks() -> None:
    asked: list[tuple[int, int]] = []

    async def addresses_of_key(key_id: int, since_us: int) -> Any:
        asked.append((key_id, since_us))
        return at_home(1)

    unit: Any = SimpleNamespace(
        clock=SimpleNamespace(now_us=lambda: NOW_US), technical_data=SimpleNamespace(addresses_of_key=addresses_of_key)
    )
    found = await places_of(unit, key_use({}, NOW_HOUR))
    assert asked == [(7, NOW_US - 35 * DAY_US)]
    assert (found.public_id, found.seen, found.countries()) == ("key_seven", at_home(1), {})
