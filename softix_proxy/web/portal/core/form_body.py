"""Reads the forms that browsers send: `application/x-www-form-urlencoded`, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from softix_proxy.web.portal.core.error_pages import PageRefusedError

FORM_BYTES = 16 * 1024
PROGRAM_BYTES = 256 * 1024
"""The largest body of a program, such as an event of Stripe."""
_MOST_FIELDS = 300
_FORM_TYPE = "application/x-www-form-urlencoded"


def parse_form(body: bytes, content_type: str) -> dict[str, tuple[str, ...]]:
    """Returns the fields with all their values. Raises PageRefusedError if this is no form."""
    if not body:
        return {}
    if content_type.partition(";")[0].strip().lower() != _FORM_TYPE:
        raise PageRefusedError(415, "input")
    try:
        return _fields(body.decode("ascii"))
    except ValueError:  # not ASCII, not UTF-8 within, or too many fields
        raise PageRefusedError(400, "input") from None


def parse_query(query: str) -> Mapping[str, str]:
    """Returns the parameters of a URL. Raises PageRefusedError if they are not UTF-8."""
    try:
        return {name: values[-1] for name, values in _fields(query).items()}
    except ValueError:
        raise PageRefusedError(400, "input") from None


def _fields(text: str) -> dict[str, tuple[str, ...]]:
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS):
        fields[name] = (*fields.get(name, ()), value.replace("\r\n", "\n"))
    return fields
