from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.batch_house import Answer, House, batch_house
from support.playbook import Client

from softix_proxy.domain.batches import KeptFile
from softix_proxy.domain.errors import Code, RefusedError
from softix_proxy.relay.stored_objects.batches import AnthropicBatchHandler, OpenAIBatchHandler
from softix_proxy.relay.stored_objects.files import FileHandler
from softix_proxy.relay.stored_objects.handler import ResourceHandler, ResourceRequest
from softix_proxy.relay.stored_objects.service import HANDLERS, handler_of, operation, serve


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with batch_house(tmp_path) as made:
        yield made


async def nothing() -> bytes:
    return b""


def about(path: str, credential: str | None) -> ResourceRequest:
    return ResourceRequest("GET", path, "", [], credential, "10.1.2.3", nothing)


@pytest.mark.parametrize(
    ("path", "handler", "names"),
    [
        ("/files", FileHandler, []),
        ("/files/f1/content", FileHandler, ["f1", "content"]),
        ("/batches/b1", OpenAIBatchHandler, ["b1"]),
        ("/messages/batches/m/results", AnthropicBatchHandler, ["m", "results"]),
        ("/files/F1/Content", FileHandler, ["F1", "content"]),
        ("/files/f1:download", FileHandler, ["f1", "content"]),
        ("/batches/b1:cancel", OpenAIBatchHandler, ["b1", "cancel"]),
        ("/batches/b1:other", OpenAIBatchHandler, ["b1:other"]),
    ],
)
def test_handler_of_a_path_is_that_of_its_folder(path: str, handler: type[ResourceHandler], names: list[str]) -> None:
    assert handler_of(path) == (handler, names)


@pytest.mark.parametrize(
    ("method", "path", "function", "form_field"),
    [
        ("POST", "/files", "upload", "purpose"),
        ("GET", "/files/f1", "show", ""),
        ("POST", "/messages/batches/m1/cancel", "cancel", ""),
        ("DELETE", "/messages/batches/m1", "delete", ""),
    ],
)
def test_operation_tells_what_decides_in_a_form(method: str, path: str, function: str, form_field: str) -> None:
    found = operation(method, path)
    assert found is not None and (found.function, found.form_field) == (function, form_field)


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/batches/b1"), ("HEAD", "/files"), ("GET", "/files/f1/x")])
def test_operation_that_nobody_does_is_none(method: str, path: str) -> None:
    assert operation(method, path) is None


@pytest.mark.parametrize("handler", HANDLERS.values())
def test_each_operation_names_a_method_of_its_handler(handler: type[ResourceHandler]) -> None:
    assert all(callable(getattr(handler, each.function)) for each in handler.operations)


@pytest.mark.parametrize(("credential", "code"), [(None, Code.INVALID_API_KEY), ("nobody", Code.INVALID_API_KEY)])
async def test_serve_for_a_stranger_is_refused(house: House, credential: str | None, code: Code) -> None:
    with pytest.raises(RefusedError) as refused:
        await serve(house.batches, about("/files", credential), Client([]))
    assert refused.value.code is code


async def test_serve_tells_an_object_to_its_owner_alone(house: House) -> None:
    async with house.storage.writing() as unit:
        await unit.batches.keep_file(KeptFile(1, "", 1, 1, "f1", house.clock.us))
    house.provider.says = {"/files/f1": Answer(200, b'{"id": "f1"}')}
    client = Client([])
    await serve(house.batches, about("/files/f1", "ada"), client)
    assert (client.status, client.body) == (200, b'{"id": "f1"}')
    with pytest.raises(RefusedError) as refused:
        await serve(house.batches, about("/files/f1", "bob"), Client([]))
    with pytest.raises(RefusedError) as unknown:
        await serve(house.batches, about("/files/f2", "ada"), Client([]))
    assert (refused.value.code, refused.value.message) == (unknown.value.code, unknown.value.message)
    assert refused.value.code is Code.NOT_FOUND and len(house.provider.calls) == 1
