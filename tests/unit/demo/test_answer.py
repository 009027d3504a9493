from __future__ import annotations

from softix_proxy.demo.answer import ServerSentEvent


def test_server_sent_event_is_encoded_with_its_name_and_data() -> None:
    assert ServerSentEvent({"a": "ä\n"}).encode() == b'data: {"a":"\xc3\xa4\\n"}\n\n'
    assert ServerSentEvent({}, "ping").encode() == b"event: ping\ndata: {}\n\n"
    assert ServerSentEvent("[DONE]").encode() == b"data: [DONE]\n\n"
