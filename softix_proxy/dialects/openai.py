"""What OpenAI's endpoints have in common."""

from __future__ import annotations

import msgspec

from softix_proxy.dialects.base import Family, Report
from softix_proxy.dialects.fields import Fields
from softix_proxy.dialects.tokens import openai_report, read_answer

_USAGE_OPTION = frozenset(("include_usage",))
_INCLUDE = b'{"include_usage":true}'


def wants_usage(fields: Fields) -> bool:
    """Whether the client of a stream asked for the usage frame."""
    options = fields.raw("stream_options")
    if options is None or not fields.has("stream_options"):
        return False
    return Fields(options, _USAGE_OPTION, "`stream_options`").flag("include_usage")


class OpenAIEndpoint:
    """A stateless base: its fields for the output limit, and how a body is changed."""

    name: str
    path: str
    family: Family = "openai"
    metered = True
    framed = True
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
        fields = Fields(body, frozenset((*self.output_fields, "stream_options")))
        changes: dict[str, bytes] = {}
        if model is not None:
            changes["model"] = msgspec.json.encode(model)
        if max_output_tokens is not None and self.output_fields:
            given = [name for name in self.output_fields if fields.raw(name) is not None]
            changes |= dict.fromkeys(given or [output_field or self.output_fields[0]], b"%d" % max_output_tokens)
        if ask_usage and self.reports_on_request:
            changes["stream_options"] = _with_usage(fields)
        return fields.replaced(changes) if changes else body

    def report(self, body: bytes) -> Report | None:
        answer = read_answer(body)
        return openai_report(answer.usage, answer.model, answer.service_tier) if answer is not None else None


def _with_usage(fields: Fields) -> bytes:
    options = fields.raw("stream_options")
    if options is None or not fields.has("stream_options"):
        return _INCLUDE
    return Fields(options, _USAGE_OPTION).replaced({"include_usage": b"true"})
