from __future__ import annotations

import json
from typing import Any

import pytest
from support.frames import chunk, event

from softix_proxy.dialects.translate import Adaptation, Translation, WriteOptions, translation
from softix_proxy.domain.core.errors import RefusedError

BODY = b'{"model":"m","stream":true,"max_tokens":50,"messages":[{"role":"user","content":"\\u00e9"}],"x-new":1.0}'
BETAS = ("interleaved-thinking-2025-05-14", "made-up-2031-01-01")


def adaptation(provider: str) -> Adaptation:
    found = translation("messages", provider, id="a", now_s=1)
    assert isinstance(found, Adaptation)
    return found


def test_bedrock_envelope_keeps_the_body_except_for_what_has_another_place() -> None:
    found = adaptation("invoke_stream").request(BODY, WriteOptions(model="m", betas=BETAS))
    version = b'"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["interleaved-thinking-2025-05-14"]}'
    assert found.body == b'{"max_tokens":50,"messages":[{"role":"user","content":"\\u00e9"}],"x-new":1.0,' + version
    assert found.dropped == ("anthropic_beta",)


def test_vertex_envelope_leaves_betas_to_the_header() -> None:
    found = adaptation("raw_predict").request(BODY, WriteOptions(model="m", betas=BETAS))
    assert json.loads(found.body)["anthropic_version"] == "vertex-2023-10-16"
    assert "anthropic_beta" not in json.loads(found.body)
    assert found.dropped == ()


@pytest.mark.parametrize(("most", "limit"), [(None, 40), (20, 20)])
def test_envelope_with_an_output_limit_sets_the_smaller_limit(most: int | None, limit: int) -> None:
    setting = WriteOptions(model="m", output_limit=40, most_output_tokens=most)
    assert json.loads(adaptation("invoke").request(BODY, setting).body)["max_tokens"] == limit


def test_envelope_fields_from_the_client_are_replaced() -> None:
    body = b'{"anthropic_version":"x","anthropic_beta":["y"],"max_tokens":1}'
    said = json.loads(adaptation("invoke").request(body, WriteOptions(model="m")).body)
    assert said == {"max_tokens": 1, "anthropic_version": "bedrock-2023-05-31"}
    with pytest.raises(RefusedError):
        adaptation("invoke").request(b"[]", WriteOptions(model="m"))


def test_envelope_answer_and_error_are_returned_in_the_form_of_anthropic() -> None:
    own = b'{"type":"error","error":{"type":"api_error","message":"m"}}'
    back = adaptation("invoke")
    assert (back.answer(b"{}"), back.error(500, own)) == (b"{}", own)
    told = json.loads(back.error(400, b'{"message":"full"}', "ServiceQuotaExceededException"))
    assert told == {"type": "error", "error": {"type": "billing_error", "message": "full"}}


def test_envelope_stream_becomes_a_stream_of_anthropic() -> None:
    ping = {"type": "ping"}
    stream, data = adaptation("invoke_stream").stream(), chunk(ping) + event("!throttlingException", {"message": "s"})
    got = b"".join(stream.feed(data[at : at + 1]) for at in range(len(data))) + stream.end()
    first, second = got.split(b"\n\n")[:2]
    assert first == b'event: ping\ndata: {"type": "ping"}'
    assert second.startswith(b"event: error\n") and b"rate_limit_error" in second
    assert stream.feed(b"nonsense, and more than a head of it") == b""
    assert adaptation("stream_raw_predict").stream().feed(b"data: {}\n\n") == b"data: {}\n\n"


@pytest.mark.parametrize(
    ("provider", "version"), [("invoke", "bedrock-2023-05-31"), ("raw_predict", "vertex-2023-10-16")]
)
def test_envelope_for_clients_of_other_dialects_is_added_after_translation(provider: str, version: str) -> None:
    found = translation("chat_completions", provider, id="a", now_s=1)
    assert isinstance(found, Translation)
    asked: dict[str, Any] = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "a"}]}
    body = json.loads(found.request(json.dumps(asked).encode(), WriteOptions(model="claude-x")).body)
    assert body["anthropic_version"] == version
    assert not body.keys() & {"model", "stream"}
    url = [{"type": "image_url", "image_url": {"url": "https://a.example/a.png"}}]
    pictured = json.dumps({**asked, "messages": [{"role": "user", "content": url}]}).encode()
    if provider == "invoke":
        with pytest.raises(RefusedError, match="media_url"):
            found.request(pictured, WriteOptions(model="claude-x"))
    else:
        assert b"a.example" in found.request(pictured, WriteOptions(model="claude-x")).body
