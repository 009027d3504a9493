from __future__ import annotations

from softix_proxy.demo.answer import ServerSentEvent


def test_an_event_on_the_wire() -> None:
    assert ServerSentEvent({"a": "ä\n"}).encode() == b'data: {"a":"\xc3\xa4\\n"}\n\n'
    assert ServerSentEvent({}, "ping").encode() == b"event: ping\ndata: {}\n\n"
    assert ServerSentEvent("[DONE]").encode() == b"data: [DONE]\n\n"
