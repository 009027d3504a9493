"""The provider gets tags, and the client its own words back, in whole answers and in events."""

from __future__ import annotations

import json

from support.playbook import Client

from softix_proxy.relay.request.tags import UntaggedClient, tagged

WORDS = (("prompt_cache_key", 'team "A"'), ("background_options.continuation_id", "go"))


def tag(word: str) -> str:
    return f"tag-of-{len(word)}"


def test_body_has_tags_in_place_of_the_words_and_is_else_unchanged() -> None:
    body = b'{ "a": 1.0, "prompt_cache_key": "team \\"A\\"", "background_options":{"x": [ ],"continuation_id":"go"}}'
    assert tagged(body, WORDS, tag) == (
        b'{"a":1.0,"prompt_cache_key":"tag-of-8","background_options":{"x":[ ],"continuation_id":"tag-of-2"}}'
    )


async def test_client_gets_its_words_back() -> None:
    client = Client([])
    back = UntaggedClient(client, WORDS, tag)
    await back.answer(200, [], b'{"prompt_cache_key":"tag-of-8","text":"tag-of-8 is no value"}')
    assert json.loads(client.body) == {"prompt_cache_key": 'team "A"', "text": "tag-of-8 is no value"}


async def test_stream_has_the_words_and_passes_everything_else() -> None:
    client = Client([])
    back = UntaggedClient(client, WORDS, tag)
    await back.begin(200, [])
    back.send(b'data: {"prompt_cache_key":"tag-of-8"}\n\n')
    back.send(b"data: x\n\n")
    await back.caught_up()
    await back.end()
    assert client.body == b'data: {"prompt_cache_key":"team \\"A\\""}\n\ndata: x\n\n' and back.begun and not back.gone
    back.cut()
    back.when_gone(lambda: None)
    assert client.story[-1] == "cut" and client.notice is not None
