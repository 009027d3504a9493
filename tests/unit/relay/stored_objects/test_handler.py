from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from support.batch_house import Answer, House, batch_house
from support.playbook import Client

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.relay.stored_objects.handler import ResourceHandler
from softix_proxy.relay.stored_objects.operation_table import ONE, Operation
from softix_proxy.relay.stored_objects.resource_request import ResourceRequest


class Words(ResourceHandler):
    operations: ClassVar[Sequence[Operation]] = (
        Operation("GET", (), "all"),
        Operation("GET", ONE, "one"),
        Operation("PUT", ONE, "one"),
        Operation("POST", (*ONE, "break"), "broken"),
        Operation("GET", (*ONE, "content"), "content"),
    )
    said: str = ""

    async def all(self) -> None:
        self.said = "all"

    async def one(self, name: str) -> None:
        self.said = name

    async def broken(self, name: str) -> None:
        raise ProviderFault(Code.PROVIDER_TIMEOUT, started=True)

    async def content(self, name: str) -> None:
        account = self._results.account_of(1, "")
        assert account is not None
        await self._pass_on_content(self._call(account, f"/v1/words/{name}"))


@pytest.fixture
async def lifecycle(tmp_path: Path) -> AsyncIterator[House]:
    async with batch_house(tmp_path) as made:
        yield made


async def nothing() -> bytes:
    return b""


def words(lifecycle: House, method: str = "GET", client: Client | None = None, **changes: Any) -> Words:
    asked: dict[str, Any] = {"query": "", "headers": [("accept", "a"), ("x-other", "b")], "credential": "ada"}
    request = ResourceRequest(method, "/words", **{**asked, **changes}, address="10.1.2.3", read_body=nothing)
    return Words(lifecycle.batches, lifecycle.caller, request, client or Client([]))


@pytest.mark.parametrize(("names", "said"), [((), "all"), (("w1",), "w1")])
async def test_handler_with_path_after_the_folder_runs_its_operation(
    lifecycle: House, names: tuple[str, ...], said: str
) -> None:
    handler = words(lifecycle)
    await handler.handle(names)
    assert handler.said == said


@pytest.mark.parametrize(
    ("method", "names", "code", "message"),
    [
        ("POST", (), Code.METHOD_NOT_ALLOWED, "Use GET here."),
        ("DELETE", ("w1",), Code.METHOD_NOT_ALLOWED, "Use GET or PUT here."),
        ("GET", ("w1", "other"), Code.NOT_FOUND, "There is nothing here."),
        ("GET", ("w1", "break", "more"), Code.NOT_FOUND, "There is nothing here."),
        ("POST", ("w1", "break"), Code.PROVIDER_TIMEOUT, "The provider did not answer in time."),
    ],
)
async def test_handler_with_unsupported_method_path_or_provider_fault_is_refused(
    lifecycle: House, method: str, names: tuple[str, ...], code: Code, message: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        await words(lifecycle, method).handle(names)
    assert (refused.value.code, refused.value.message) == (code, message)


async def test_content_is_passed_on_with_allowed_headers_only(lifecycle: House) -> None:
    answer = Answer(200, b"one ", b"two")
    answer.headers = (("content-type", "text/plain"), ("set-cookie", "no"))
    lifecycle.provider.says = {"/words/w1": answer}
    client = Client([])
    await words(lifecycle, client=client).handle(("w1", "content"))
    assert (client.status, client.body, client.story) == (200, b"one two", ["begin", "send", "send", "end"])
    assert client.headers == {"content-type": "text/plain"}
    [call] = lifecycle.provider.calls
    assert (call.key_id, call.method, call.path) == (1, "GET", "/v1/words/w1")
    assert list(call.headers) == [("accept", "a"), ("accept-encoding", "identity")]


async def test_content_with_the_key_of_the_operator_is_passed_on_without_it(lifecycle: House) -> None:
    secret = "sk-canary-of-the-provider"
    answer = Answer(200, b"one sk-canary-of", b"-the-provider two s")
    answer.secret = secret
    lifecycle.provider.says = {"/words/w1": answer}
    client = Client([])
    await words(lifecycle, client=client).handle(("w1", "content"))
    assert client.body == b"one " + b"*" * len(secret) + b" two s"


async def test_content_refused_by_the_provider_is_passed_on_as_its_error(lifecycle: House) -> None:
    lifecycle.provider.says = {"/words/w1": Answer(404, b'{"error":{"message":"gone"}}')}
    client = Client([])
    await words(lifecycle, client=client).handle(("w1", "content"))
    assert (client.status, client.story) == (404, ["answer"]) and b"gone" in client.body
    assert client.headers["x-softix-cost-usd"] == "0.00"


async def test_content_refused_for_the_operator_key_is_refused_without_the_provider_error(lifecycle: House) -> None:
    lifecycle.provider.says = {"/words/w1": Answer(401, b'{"error":{"message":"Incorrect API key sk-provider"}}')}
    client = Client([])
    with pytest.raises(RefusedError) as refused:
        await words(lifecycle, client=client).handle(("w1", "content"))
    assert refused.value.code is Code.PROVIDER_REFUSED and client.story == []


async def test_content_that_breaks_off_is_cut(lifecycle: House) -> None:
    class Breaking(Answer):
        async def chunk(self) -> bytes:
            if not self.left:
                raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
            return await super().chunk()

    lifecycle.provider.make = Breaking
    lifecycle.provider.says = {"/words/w1": Answer(200, b"half")}
    client = Client([])
    await words(lifecycle, client=client).handle(("w1", "content"))
    assert client.story == ["begin", "send", "cut"]


def test_repr_of_resource_request_contains_neither_headers_nor_key() -> None:
    request = ResourceRequest("GET", "/words", "", [("authorization", "Bearer sx_live_x")], "sx_live_x", "", nothing)
    assert "sx_live" not in repr(request)
