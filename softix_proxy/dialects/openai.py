"""What OpenAI's endpoints have in common."""

from __future__ import annotations

import msgspec

from softix_proxy.dialects.base import Family, Report
from softix_proxy.dialects.fields import Fields, replace
from softix_proxy.dialects.tokens import openai_report, read_answer

_USAGE_OPTION = frozenset(("include_usage",))
_INCLUDE = b'{"include_usage":true}'


def wants_usage(fields: Fields) -> bool:
    """Whether the client of a stream asked for the usage frame."""
    options = fields.raw("stream_options")
    if options is None or not fields.has("stream_options"):
        return False
    return Fields(options, _USAGE_OPTION, "`stream_options`").flag("include_usage")


def largest(fields: Fields, names: tuple[str, ...]) -> int | None:
    """The largest of several names of one limit, since a provider may go by any of them."""
    given = [value for name in names if (value := fields.count(name)) is not None]
    return max(given, default=None)


class OpenAIEndpoint:
    """A stateless base: its fields for the output limit, and how a body is changed."""

    name: str
    path: str
    family: Family = "openai"
    metered = True
    output_fields: tuple[str, ...] = ()
    """The first is the dialect's own; the others are what relatives of OpenAI call it."""
    reports_on_request = False
    """A stream has usage only if `stream_options` asks for it."""

    def rewrite(
        self,
        body: bytes,
        *,
        model: str | None,
        max_output_tokens: int | None,
        ask_usage: bool,
        output_field: str | None = None,
    ) -> bytes:
        changes: dict[str, bytes] = {}
        if model is not None:
            changes["model"] = msgspec.json.encode(model)
        if max_output_tokens is not None and self.output_fields:
            limit = b"%d" % max_output_tokens
            changes |= dict.fromkeys(self._limits_in(body) or (output_field or self.output_fields[0],), limit)
        if ask_usage and self.reports_on_request:
            changes["stream_options"] = _with_usage(body)
        return replace(body, changes) if changes else body

    def report(self, body: bytes) -> Report | None:
        answer = read_answer(body)
        return openai_report(answer.usage, answer.model, answer.service_tier) if answer is not None else None

    def _limits_in(self, body: bytes) -> tuple[str, ...]:
        if b"\\u00" not in body and not any(b'"%s"' % name.encode() in body for name in self.output_fields):
            return ()
        fields = Fields(body, frozenset(self.output_fields))
        return tuple(name for name in self.output_fields if fields.raw(name) is not None)


def _with_usage(body: bytes) -> bytes:
    if b'"stream_options"' not in body and b"\\u00" not in body:
        return _INCLUDE
    fields = Fields(body, frozenset(("stream_options",)))
    options = fields.raw("stream_options")
    if options is None or not fields.has("stream_options"):
        return _INCLUDE
    return replace(bytes(options), {"include_usage": b"true"})
