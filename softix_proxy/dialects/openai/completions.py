"""The endpoint POST /v1/completions, the older completion of a text."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from softix_proxy.dialects.core.base import RequestSpec, StreamMeter
from softix_proxy.dialects.core.fields import MALFORMED, SHARED, invalid, is_heavy, read_request
from softix_proxy.dialects.core.tokens import tier
from softix_proxy.dialects.openai.chat.endpoint import COUNTS, LIMITS, ChatMeter
from softix_proxy.dialects.openai.outside_input import NAMES as OUTSIDE_NAMES
from softix_proxy.dialects.openai.outside_input import outside_input
from softix_proxy.dialects.openai.shared import OpenAIEndpoint, wants_usage

_LIMITS = ("max_tokens", *(name for name in LIMITS if name != "max_tokens"))
_WATCHED = SHARED | OUTSIDE_NAMES | {*_LIMITS, *COUNTS, "prompt", "stream_options", "echo"}
_ONE_PROMPT = re.compile(rb'"|\[\s*\d')
_PROMPT = msgspec.json.Decoder(str | list[Any] | None)


class Completions(OpenAIEndpoint):
    """Meters OpenAI's completions of a text. This API is older than chat and is still served."""

    name = "completions"
    path = "/v1/completions"
    output_fields = _LIMITS
    reports_on_request = True

    def read(self, body: bytes) -> RequestSpec:
        model, fields = read_request(body, _WATCHED)
        outside = outside_input(fields)
        return RequestSpec(
            model=model,
            stream=(stream := fields.flag("stream")),
            max_output_tokens=fields.largest(_LIMITS),
            choices=(fields.largest(COUNTS) or 1) * _prompts(fields.raw("prompt")),
            service_tier=tier(fields.text("service_tier")),
            open_input=bool(outside),
            wants_usage=not stream or wants_usage(fields),
            echoes=fields.has("echo"),
            reads_nothing=not (fields.has("prompt") or outside),
            limited_by=fields.given(_LIMITS),
            members=outside,
        )

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return ChatMeter(hide_usage)


def _prompts(raw: msgspec.Raw | None) -> int:
    """Returns the number of prompts.

    A text is one prompt, and so is a list of numbers, which are its tokens. Any other list has one prompt for each
    element. The first element decides, since the types must not be mixed: to decode a long list of numbers takes long.
    """
    if raw is None or _ONE_PROMPT.match(memoryview(raw)):
        return 1
    if is_heavy(raw):
        raise invalid("`prompt` is too large a list: send fewer prompts in a request.")
    try:
        prompt = _PROMPT.decode(raw)
    except MALFORMED:
        raise invalid("`prompt` must be a string or a list.") from None
    return max(len(prompt), 1) if isinstance(prompt, list) else 1
