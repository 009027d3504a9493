"""Where a new file goes, and what is left of one that cannot be written down. The rest is told by real SDKs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.batch_house import Answer, House, batch_house
from support.playbook import Client

from softix_proxy.domain.core.errors import Code, FailureError, RefusedError
from softix_proxy.relay.stored_objects.files import PROVIDER_HEADER
from softix_proxy.relay.stored_objects.resource_request import ResourceRequest

MADE = Answer(200, b'{"id": "f1", "purpose": "batch"}')
_PROVIDERS = """
INSERT INTO providers (id, public_id, name, type, base_url, on_hang_up, created_at_us, region) VALUES
  (2, 'prv_own', 'own', 'openai-compatible', 'http://own', 'cancel', 1, 'eu'),
  (3, 'prv_open', 'open', 'openai', 'https://open', 'cancel', 1, 'us'),
  (4, 'prv_late', 'late', 'openai', 'https://late', 'cancel', 1, 'eu')"""


@pytest.fixture
async def lifecycle(tmp_path: Path) -> AsyncIterator[House]:
    async with batch_house(tmp_path) as made:
        made.execute(_PROVIDERS)
        made.provider.says = {"/files": MADE, "/files/f1": Answer(200, b"{}")}
        yield made


async def upload(lifecycle: House, purpose: str = "batch", **headers: str) -> Client:
    head = f'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
    file = 'Content-Disposition: form-data; name="file"; filename="a.jsonl"'
    body = f"{head}--x\r\n{file}\r\n\r\n{{}}\r\n--x--\r\n".encode()

    async def read_body() -> bytes:
        return body

    told: Any = [("content-type", "multipart/form-data; boundary=x"), *headers.items()]
    client = Client([])
    await lifecycle.serve(ResourceRequest("POST", "/files", "", told, "ada", "10.1.2.3", read_body), client)
    return client


@pytest.mark.parametrize(
    ("changes", "wanted", "provider"),
    [
        ((), None, "open"),
        ((), "late", "late"),
        ((), "own", "own"),
        (("UPDATE providers SET status = 'disabled' WHERE id = 3",), None, "late"),
        (("UPDATE users SET regions = '[\"eu\"]' WHERE id = 1",), None, "late"),
        (("UPDATE keys SET regions = '[\"eu\"]' WHERE id = 1",), "own", "own"),
        (("UPDATE providers SET status = 'disabled' WHERE id > 2",), None, "own"),
    ],
)
async def test_file_upload_with_allowed_providers_uses_the_first_or_the_named_one(
    lifecycle: House, changes: tuple[str, ...], wanted: str | None, provider: str
) -> None:
    lifecycle.execute(*changes)
    client = await upload(lifecycle, **({PROVIDER_HEADER: wanted} if wanted else {}))
    assert client.status == 200 and [call.provider.name for call in lifecycle.provider.calls] == [provider]
    file = await lifecycle.storage.reading().batches.find_file(1, "f1")
    assert file is not None and file.provider_id == lifecycle.provider.calls[0].provider.id


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ((), "nowhere"),
        ((), "lab"),
        (("UPDATE providers SET status = 'disabled' WHERE id = 3",), "open"),
        (("UPDATE keys SET regions = '[\"ch\"]' WHERE id = 1",), None),
    ],
)
async def test_file_upload_without_allowed_provider_is_refused(
    lifecycle: House, changes: tuple[str, ...], wanted: str | None
) -> None:
    lifecycle.execute(*changes)
    with pytest.raises(RefusedError, match=PROVIDER_HEADER) as refused:
        await upload(lifecycle, **({PROVIDER_HEADER: wanted} if wanted else {}))
    assert refused.value.code is Code.NOT_FOUND and lifecycle.provider.calls == []


async def test_file_upload_with_other_purpose_is_refused(lifecycle: House) -> None:
    with pytest.raises(RefusedError) as refused:
        await upload(lifecycle, "assistants")
    assert refused.value.code is Code.ENDPOINT_NOT_METERED and lifecycle.provider.calls == []


async def test_file_upload_that_cannot_be_recorded_is_deleted_at_the_provider(
    lifecycle: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> Any:
        raise FailureError("the disk is full")

    monkeypatch.setattr(lifecycle.storage, "writing", full)
    with pytest.raises(FailureError):
        await upload(lifecycle)
    assert [(call.method, call.path) for call in lifecycle.provider.calls] == [
        ("POST", "/v1/files"),
        ("DELETE", "/v1/files/f1"),
    ]


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            "UPDATE providers SET status = 'disabled'",
            Code.NOT_FOUND,
            "The provider that has it is no longer used here.",
        ),
        ("UPDATE providers SET status = 'removed'", Code.NOT_FOUND, "The provider that has it is no longer used here."),
        (
            "UPDATE keys SET regions = '[\"eu\"]' WHERE id = 1",
            Code.REGION_NOT_ALLOWED,
            "It is not in the regions that this API key may use.",
        ),
    ],
)
async def test_file_at_disallowed_provider_is_refused(lifecycle: House, change: str, code: Code, message: str) -> None:
    await upload(lifecycle)
    lifecycle.execute(change)
    with pytest.raises(RefusedError) as refused:
        await lifecycle.serve(ResourceRequest("GET", "/files/f1", "", [], "ada", "10.1.2.3", _nothing), Client([]))
    assert (refused.value.code, refused.value.message) == (code, message) and len(lifecycle.provider.calls) == 1


async def _nothing() -> bytes:
    return b""
