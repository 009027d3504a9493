"""The log lines about softix, which never contain anything of requests or responses.

An exception's text may contain content (parsers, aiohttp and asyncio quote their input), so only its class and the
place where it was raised are written. Of the loggers of libraries, not even the message is written.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from traceback import extract_tb
from typing import Literal, TextIO

from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.display import visible
from softix_proxy.domain.core.errors import FailureError

_OWN = "softix"
_FIELDS = (
    "request_id",
    "error",
    "group",
    "model_id",
    "members",
    "above_hold_usd",
    "charged_usd",
    "url",
    "version",
    "count",
    "seconds",
    "slots",
    "provider",
    "zone",
    "notice",
    "payment",
    "status",
)
"""The names that may be given as `extra`."""


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
        return visible(f"{fields['at']} {fields['level']:<7} {fields['event']} {rest}")


class _File(logging.StreamHandler[TextIO]):
    """Appends to a file that only its owner may read."""

    def __init__(self, place: Path) -> None:
        try:
            descriptor = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise FailureError(
                f"cannot write the log to {place}: {error.strerror}", "check log.file, and the folder's owner and mode"
            ) from None
        super().__init__(os.fdopen(descriptor, "a", encoding="utf-8"))

    def close(self) -> None:
        with suppress(OSError):  # the disk may be full
            self.stream.close()
        super().close()


def set_up(level: str, style: Literal["json", "text"], place: Path | None = None) -> None:
    """Replaces every handler of the root logger, and opens a file anew.

    If it raises FailureError, nothing has changed.
    """
    handler = _File(place) if place else logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    before, root.handlers[:] = root.handlers[:], [handler]
    for each in before:
        if isinstance(each, _File):
            each.close()
    root.setLevel(logging.WARNING)
    logging.getLogger(_OWN).setLevel(level.upper())
    logging.raiseExceptions = False  # its report on standard error would quote the arguments
