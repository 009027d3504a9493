"""Log lines about softix, never about what passes through it.

An exception's text may hold content (parsers, aiohttp and asyncio quote what they choke on), so only its class and the
place where it was raised are written. Of other programs' loggers not even the message is.
"""

from __future__ import annotations

import json
import logging
import sys
from traceback import extract_tb
from typing import Literal

from softix_proxy.domain.clock import format_instant

_OWN = "softix"
_FIELDS = (
    "request_id",
    "error",
    "group",
    "model_id",
    "url",
    "version",
    "count",
    "seconds",
    "slots",
    "provider",
    "zone",
)
"""What may be given as `extra`."""


class _Formatter(logging.Formatter):
    def fields(self, record: logging.LogRecord) -> dict[str, object]:
        own = record.name == _OWN or record.name.startswith(_OWN + ".")
        found: dict[str, object] = {
            "at": format_instant(int(record.created * 1_000_000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage() if own else "a message of a library is left out",
        }
        found |= {name: record.__dict__[name] for name in _FIELDS if name in record.__dict__}
        if record.exc_info and record.exc_info[0] is not None:
            found["error"] = record.exc_info[0].__name__
            frames = extract_tb(record.exc_info[2])
            found["where"] = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[-4:]]
        return found


class JsonFormatter(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.fields(record))


class TextFormatter(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = self.fields(record)
        rest = " ".join(f"{name}={value}" for name, value in fields.items() if name not in ("at", "level", "event"))
        return f"{fields['at']} {fields['level']:<7} {fields['event']} {rest}"


def set_up(level: str, style: Literal["json", "text"]) -> None:
    """Replaces every handler of the root logger."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OWN).setLevel(level.upper())
    logging.raiseExceptions = False  # its report on standard error would quote the arguments
