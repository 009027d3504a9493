from __future__ import annotations

from pathlib import Path

from support.batch_house import Answer, batch_house

from softix_proxy.domain.upstream import Call
from softix_proxy.operations import batches


async def test_those_that_are_held_for_and_those_that_were(tmp_path: Path) -> None:
    async with batch_house(tmp_path) as house:
        house.provider.says = {"/batches": Answer(200, b'{"id": "b1"}'), "/b1": Answer(404, b"")}
        asked = await house.batches.admit(lambda: house.asked("x", "y"))
        call = Call(1, house.account.provider, "/v1/batches", (), b"{}", False)
        await house.batches.make("openai", house.caller, house.account, asked, call)
        [summary] = await batches.list_all(house.storage)
        assert (summary.provider, summary.user, summary.open_requests) == ("lab", "ada", 2)
        assert summary.held_pico == await house.held_pico() > 0
        await house.results.collect(summary.batch)
        assert await batches.list_all(house.storage) == []
        [summary] = await batches.list_all(house.storage, metered_too=True)
        assert (summary.open_requests, summary.held_pico) == (0, 0) and summary.batch.metered_at_us is not None
