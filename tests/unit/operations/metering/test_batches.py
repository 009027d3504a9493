from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.batch_house import Answer, House, batch_house

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.ports.upstream import UpstreamRequest
from softix_proxy.operations.metering import batches


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with batch_house(tmp_path) as house:
        house.provider.says = {"/batches": Answer(200, b'{"id": "b1"}'), "/b1": Answer(404, b"")}
        asked = await house.batches.admit(lambda: house.asked("x", "y"))
        call = UpstreamRequest(1, house.account.provider, "/v1/batches", (), b"{}", False)
        await house.batches.make("openai", house.caller, house.account, asked, call)
        yield house


async def test_batch_list_without_metered_ones_contains_only_open_batches(house: House) -> None:
    [summary] = await batches.list_all(house.storage)
    assert (summary.provider, summary.user, summary.open_requests) == ("lab", "ada", 2)
    assert summary.held_pico == await house.held_pico() > 0
    house.clock.us += 3600 * SECOND_US
    await house.results.collect(summary.batch)
    assert await batches.list_all(house.storage) == []
    [summary] = await batches.list_all(house.storage, metered_too=True)
    assert (summary.open_requests, summary.held_pico) == (0, 0) and summary.batch.metered_at_us is not None


@pytest.mark.parametrize("charge", ["nothing", "bound"])
async def test_batch_settle_of_a_lost_batch_charges_nothing_or_the_bound(house: House, charge: Any) -> None:
    [summary] = await batches.list_all(house.storage)
    journal: Any = house.batches.lifecycle.journal
    settled = await batches.settle(house.storage, journal, summary.batch, charge)
    assert sum(each.hold_pico for each in settled) == summary.held_pico
    charged_pico = summary.held_pico // 2 if charge == "bound" else 0
    assert house.rows() == [("interrupted", 404, "lost", charged_pico, "batch")] * 2
    assert await house.held_pico() == 0 and await batches.list_all(house.storage) == []
    assert await batches.settle(house.storage, journal, summary.batch, charge) == [] and len(house.rows()) == 2


async def test_batch_find_by_id_or_name_returns_the_batch_unless_ambiguous(house: House) -> None:
    [summary] = await batches.list_all(house.storage)
    for name in ("b1", format_request_id(summary.batch.id)):
        assert await batches.find(house.storage, name) == summary
    with pytest.raises(NotFoundError):
        await batches.find(house.storage, "b2")
    connection = house.database.connect()
    connection.execute(
        "INSERT INTO providers (public_id, name, type, base_url, on_hang_up, status, created_at_us)"
        " SELECT 'prv_other', 'other', type, base_url, on_hang_up, status, created_at_us FROM providers"
    )
    connection.execute(
        "INSERT INTO batches (id, family, provider_id, provider_key, user_id, key_id, remote_id, requests,"
        " created_at_us, metered_at_us) SELECT id + 1, family, 2, provider_key, user_id, key_id, remote_id, requests,"
        " created_at_us, NULL FROM batches"
    )
    connection.close()
    with pytest.raises(ConflictError):
        await batches.find(house.storage, "b1")
