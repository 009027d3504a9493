"""Reads and writes lists of files and batches in pages, and single entries for Google's SDK, for each family.

Providers describe files and batches in the format of OpenAI or Anthropic. Google's format is made from OpenAI's here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qs

import msgspec

from softix_proxy.dialects.core.base import Family
from softix_proxy.dialects.request.fields import MALFORMED, invalid
from softix_proxy.domain.core.clock import SECOND_US, from_us

ListedKind = Literal["files", "batches"]
_PAGE, _LONGEST_PAGE = 20, 100
_BATCH_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch"
_STATES: Mapping[str, str] = {
    "validating": "BATCH_STATE_PENDING",
    "completed": "BATCH_STATE_SUCCEEDED",
    "failed": "BATCH_STATE_FAILED",
    "expired": "BATCH_STATE_EXPIRED",
    "cancelled": "BATCH_STATE_CANCELLED",
}
"""A mapping from OpenAI's status to Google's state. A batch with any other status is running."""
_LAST_STATES = frozenset(("completed", "failed", "expired", "cancelled"))
_ENDS = ("completed_at", "failed_at", "expired_at", "cancelled_at")


class PageRequest(NamedTuple):
    """The page that a client requests."""

    size: int
    cursor: str | None
    """The name of the last entry that the client has."""
    ascending: bool = False
    """Whether the older entries come first."""
    backwards: bool = False
    """Whether the page ends just before the cursor."""
    purpose: str | None = None
    """The purpose that listed files must have. None for files of any purpose."""


class ListedObject(NamedTuple):
    name: str
    """The name at the provider."""
    body: bytes
    """The provider's description of it."""


def read_page(family: Family, query: str) -> PageRequest:
    """Reads the page that a query requests. Raises RefusedError if the query is not valid."""
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    if family == "gemini":
        size = _size(asked.get("pageSize", asked.get("page_size")), "pageSize")
        return PageRequest(size, asked.get("pageToken", asked.get("page_token")))
    size = _size(asked.get("limit"), "limit")
    if family == "anthropic":
        after, before = asked.get("after_id"), asked.get("before_id")
        if after and before:
            raise invalid("`after_id` and `before_id` cannot be asked for at once.")
        return PageRequest(size, before or after, ascending=bool(before), backwards=bool(before))
    if asked.get("order") not in (None, "asc", "desc"):
        raise invalid("`order` must be `asc` or `desc`.")
    return PageRequest(size, asked.get("after"), asked.get("order") == "asc", purpose=asked.get("purpose"))


def _size(text: str | None, name: str) -> int:
    if text is None:
        return _PAGE
    if not (text.isascii() and text.isdecimal()) or int(text[:9]) < 1:
        raise invalid(f"`{name}` must be a whole number from 1 on.")
    return min(int(text[:9]), _LONGEST_PAGE)


def write_page(family: Family, kind: ListedKind, found: Sequence[ListedObject], next_cursor: str | None) -> bytes:
    """Writes a page. `next_cursor` is the name after which more entries follow. None if no more follow."""
    more = next_cursor is not None
    if family == "gemini":
        listed = [_google(kind, each) for each in found]
        token = {"nextPageToken": next_cursor} if more else {}
        return msgspec.json.encode({"files" if kind == "files" else "operations": listed, **token})
    names = [each.name for each in found]
    body: dict[str, Any] = {
        "data": [msgspec.Raw(each.body) for each in found],
        "has_more": more,
        "first_id": names[0] if names else next_cursor,
        "last_id": names[-1] if names else next_cursor,
    }
    return msgspec.json.encode(body if family == "anthropic" else {"object": "list", **body})


def write_one(kind: ListedKind, body: bytes) -> bytes:
    """Writes one entry for Google's SDK. A body that describes no such object stays unchanged."""
    told = _decoded(body)
    name = told.get("id")
    return msgspec.json.encode(_google(kind, ListedObject(name, body))) if isinstance(name, str) else body


def has_purpose(body: bytes, purpose: str) -> bool:
    return _decoded(body).get("purpose") == purpose


def _google(kind: ListedKind, listed: ListedObject) -> dict[str, Any]:
    told = _decoded(listed.body)
    if kind == "files":
        file = {
            "name": f"files/{listed.name}",
            "displayName": _text(told.get("filename")),
            "mimeType": "application/jsonl",
            "sizeBytes": _count(told.get("bytes")),
            "createTime": _time(told.get("created_at")),
            "updateTime": _time(told.get("created_at")),
            "expirationTime": _time(told.get("expires_at")),
            "state": "FAILED" if told.get("status") == "error" else "ACTIVE",
            "source": "GENERATED" if told.get("purpose") == "batch_output" else "UPLOADED",
        }
        return _without_nothing(file)
    status = told.get("status")
    output = _text(told.get("output_file_id"))
    metadata = {
        "@type": _BATCH_TYPE,
        "name": f"batches/{listed.name}",
        "state": _STATES.get(str(status), "BATCH_STATE_RUNNING"),
        "createTime": _time(told.get("created_at")),
        "endTime": next((time for name in _ENDS if (time := _time(told.get(name)))), None),
        "output": {"responsesFile": f"files/{output}"} if output else None,
    }
    return {"name": f"batches/{listed.name}", "metadata": _without_nothing(metadata), "done": status in _LAST_STATES}


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except MALFORMED:
        return {}
    return found if isinstance(found, dict) else {}


def _without_nothing(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: object) -> str | None:
    """Converts a number as Google does: it writes 64-bit numbers as strings."""
    return str(value) if type(value) is int else None


def _time(value: object) -> str | None:
    if type(value) is not int or not 0 < value < 2**33:
        return None
    return from_us(value * SECOND_US).strftime("%Y-%m-%dT%H:%M:%SZ")
