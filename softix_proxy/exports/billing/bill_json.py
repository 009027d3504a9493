"""Renders a document as JSON. Every amount is a decimal string, and every date is ISO 8601."""

from __future__ import annotations

from typing import Any

import msgspec

from softix_proxy.domain.billing.bill import Document


def fields(document: Document) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.to_builtins(document)
    return made


def render(document: Document) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
