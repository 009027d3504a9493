from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.batch_house import Answer, House, batch_house
from support.playbook import Client

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.metering.batches import KeptFile
from softix_proxy.relay.stored_objects.operation_table import OPERATIONS
from softix_proxy.relay.stored_objects.resource_request import ResourceRequest
from softix_proxy.relay.stored_objects.service import HANDLERS


@pytest.fixture
async def lifecycle(tmp_path: Path) -> AsyncIterator[House]:
    async with batch_house(tmp_path) as made:
        yield made


async def nothing() -> bytes:
    return b""


def about(path: str, credential: str | None) -> ResourceRequest:
    return ResourceRequest("GET", path, "", [], credential, "10.1.2.3", nothing)


@pytest.mark.parametrize("folder", OPERATIONS)
def test_operation_table_entries_are_methods_of_the_folder_handlers(folder: str) -> None:
    assert HANDLERS[folder].operations is OPERATIONS[folder]
    assert all(callable(getattr(HANDLERS[folder], each.function)) for each in OPERATIONS[folder])


@pytest.mark.parametrize(("credential", "code"), [(None, Code.INVALID_API_KEY), ("nobody", Code.INVALID_API_KEY)])
async def test_serve_without_valid_key_is_refused(lifecycle: House, credential: str | None, code: Code) -> None:
    with pytest.raises(RefusedError) as refused:
        await lifecycle.serve(about("/files", credential), Client([]))
    assert refused.value.code is code


async def test_serve_of_an_object_returns_it_to_its_owner_alone(lifecycle: House) -> None:
    async with lifecycle.storage.writing() as unit:
        await unit.batches.keep_file(KeptFile(1, "", 1, 1, "f1", lifecycle.clock.us))
    lifecycle.provider.says = {"/files/f1": Answer(200, b'{"id": "f1"}')}
    client = Client([])
    await lifecycle.serve(about("/files/f1", "ada"), client)
    assert (client.status, client.body) == (200, b'{"id": "f1"}')
    with pytest.raises(RefusedError) as refused:
        await lifecycle.serve(about("/files/f1", "bob"), Client([]))
    with pytest.raises(RefusedError) as unknown:
        await lifecycle.serve(about("/files/f2", "ada"), Client([]))
    assert (refused.value.code, refused.value.message) == (unknown.value.code, unknown.value.message)
    assert refused.value.code is Code.NOT_FOUND and len(lifecycle.provider.calls) == 1
