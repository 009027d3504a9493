"""AWS's framing of events, written; what reads it is `dialects/core/event_stream.py`."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from zlib import crc32


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    packed = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + len(value).to_bytes(2, "big") + value.encode()
        for name, value in headers.items()
    )
    prelude = (16 + len(packed) + len(payload)).to_bytes(4, "big") + len(packed).to_bytes(4, "big")
    rest = prelude + crc32(prelude).to_bytes(4, "big") + packed + payload
    return rest + crc32(rest).to_bytes(4, "big")


def event(name: str, data: Any) -> bytes:
    """As Bedrock sends it; `!name` is an exception."""
    kind = "exception" if name.startswith("!") else "event"
    headers = {
        f":{kind}-type": name.removeprefix("!"),
        ":content-type": "application/json",
        ":message-type": kind,
    }
    return frame(headers, json.dumps(data).encode())


def chunk(data: Any) -> bytes:
    """As InvokeModel sends an event of the model's own dialect."""
    return event("chunk", {"bytes": base64.b64encode(json.dumps(data).encode()).decode(), "p": "abc"})
