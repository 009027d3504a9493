from __future__ import annotations

from softix_proxy.demo.answer import Frame


def test_an_event_on_the_wire() -> None:
    assert Frame({"a": "ä\n"}).encode() == b'data: {"a":"\xc3\xa4\\n"}\n\n'
    assert Frame({}, "ping").encode() == b"event: ping\ndata: {}\n\n"
    assert Frame("[DONE]").encode() == b"data: [DONE]\n\n"
