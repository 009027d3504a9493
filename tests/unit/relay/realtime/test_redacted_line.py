from __future__ import annotations

import json

import pytest
from support.playbook import SECRET
from support.talk import Line

from softix_proxy.relay.core.redaction import Redaction
from softix_proxy.relay.realtime.redacted_line import RedactedLine


def told(*messages: bytes) -> RedactedLine:
    line = Line()
    for message in messages:
        line.inbox.put_nowait(message)
    return RedactedLine(line, Redaction(SECRET))


async def test_error_event_comes_without_the_key_and_the_account() -> None:
    event = {"type": "error", "error": {"message": f"{SECRET} of organization org-4Xk2mmPqRz81"}}
    received = await told(json.dumps(event).encode()).receive()
    assert received is not None and json.loads(received)["error"]["message"] == "[redacted] of organization [redacted]"


async def test_error_event_with_the_key_twice_is_withheld() -> None:
    received = await told(b'{"type":"error","error":"%b","error":{}}' % SECRET.encode()).receive()
    assert received is not None and json.loads(received)["error"]["message"] == "[redacted]"


async def test_other_event_stays_byte_for_byte_without_the_key() -> None:
    event = b'{"type":"response.output_text.delta", "delta":"org-4Xk2mmPqRz81"}'
    echo = b'{"type":"session.created","sent":"%b"}' % SECRET.encode()
    line = told(event, echo)
    assert await line.receive() is event
    assert await line.receive() == echo.replace(SECRET.encode(), b"*" * len(SECRET))


async def test_end_and_close_code_are_those_of_the_connection() -> None:
    inner = Line()
    line = RedactedLine(inner, Redaction(SECRET))
    inner.inbox.put_nowait(None)
    inner.close_code = 1001
    assert await line.receive() is None and line.close_code == 1001
    await line.send(b'{"type":"session.update"}')
    assert inner.story == ["session.update"]
    line.abort()
    assert inner.aborted


@pytest.mark.parametrize("secret", [None, "none"])
async def test_event_without_a_key_to_hide_stays(secret: str | None) -> None:
    inner = Line()
    inner.inbox.put_nowait(b'{"type":"x","none":1}')
    assert await RedactedLine(inner, Redaction(secret)).receive() == b'{"type":"x","none":1}'
