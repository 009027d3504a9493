"""The copy of a batch's file has tags, is as long as announced, and is what was admitted. Real SDKs tell the rest."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator

import pytest

from softix_proxy.dialects.batches import BatchItem, read_line
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.request.multipart import FormFields, content_type_of
from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.relay.batch.batch_request import BatchRequest
from softix_proxy.relay.batch.tagged_input import TaggedInput, tagged_line

CHAT = ENDPOINTS["chat_completions"]


def tag(word: str) -> str:
    return f"the-tag-of-{word}"


def line(name: str, **more: object) -> bytes:
    body = {"model": "m", "messages": [], **more}
    return json.dumps({"custom_id": name, "method": "POST", "url": CHAT.path, "body": body}).encode()


async def each(*lines: bytes) -> AsyncGenerator[BatchItem, None]:
    for one in lines:
        yield read_line(one, CHAT)


async def reads(*lines: bytes) -> list[BatchRequest]:
    found = []
    async for item in each(*lines):
        spec = CHAT.read(item.body)
        size_bytes = len(await tagged_line(item, spec.tags, tag))
        found.append(BatchRequest(item.custom_id, CHAT, spec, len(item.body), size_bytes))
    return found


async def copied(before: tuple[bytes, ...], now: tuple[bytes, ...]) -> tuple[TaggedInput, list[bytes]]:
    rest = TaggedInput(each(*now), await reads(*before), tag)
    return rest, [chunk async for chunk in rest.chunks()]


async def test_line_without_words_keeps_its_bytes() -> None:
    item = read_line(
        b' { "custom_id":"a" , "method":"POST","url":"%b","body":{ "model" : "m"}}' % CHAT.path.encode(), CHAT
    )
    assert await tagged_line(item, (), tag) == item.line + b"\n"


async def test_copy_has_tags_and_the_announced_length() -> None:
    lines = (
        line("a", user="bob"),
        line("b"),
        line("c", prompt_cache_key="k", stop="x" * 70_000),
        line("d", user="bob"),
    )
    rest, chunks = await copied(lines, lines)
    assert sum(map(len, chunks)) == rest.size_bytes and len(chunks) > 1
    form = rest.head + b"".join(chunks)
    assert content_type_of(rest.head).startswith("multipart/form-data; boundary=")
    assert FormFields(form, frozenset(("purpose",))).text("purpose") == "batch"
    sent = [json.loads(one)["body"] for one in form.splitlines() if one.startswith(b"{")]
    assert [each.get("user") for each in sent] == ["the-tag-of-bob", None, None, "the-tag-of-bob"]
    assert sent[2]["prompt_cache_key"] == "the-tag-of-k"


@pytest.mark.parametrize(
    "now",
    [
        (line("a", user="bob"),),
        (line("a", user="bob"), line("b"), line("c")),
        (line("b"), line("a", user="bob")),
        (line("a", user="bob", n=2), line("b")),
    ],
)
async def test_file_that_is_not_what_was_admitted_is_not_copied(now: tuple[bytes, ...]) -> None:
    with pytest.raises(RefusedError, match="has changed"):
        await copied((line("a", user="bob"), line("b")), now)
