"""The endpoint POST /v1/completions, the older completion of a text."""

from __future__ import annotations

from dataclasses import replace

from softix_proxy.dialects.core.base import RequestSpec, StreamMeter
from softix_proxy.dialects.core.tokens import tier
from softix_proxy.dialects.openai import visible_members
from softix_proxy.dialects.openai.chat.endpoint import COUNTS, LIMITS, ChatMeter
from softix_proxy.dialects.openai.members import COMPLETIONS
from softix_proxy.dialects.openai.outside_input import NAMES as OUTSIDE_NAMES
from softix_proxy.dialects.openai.outside_input import outside_input
from softix_proxy.dialects.openai.shared import OpenAIEndpoint, wants_usage
from softix_proxy.dialects.request.fields import SHARED, JsonMembers, invalid, read_request
from softix_proxy.dialects.request.hiding import HIDES_ANYTHING, hidden_parts
from softix_proxy.dialects.request.inputs import Inputs, read_inputs

_LIMITS = ("max_tokens", *(name for name in LIMITS if name != "max_tokens"))
_WATCHED = (
    SHARED
    | COMPLETIONS.watched
    | OUTSIDE_NAMES
    | {*_LIMITS, *COUNTS, "prompt", "prompt_embeds", "stream_options", "echo"}
)
_PROMPTS = frozenset(b'"[n')
"""The first bytes of a text, of a list and of null."""
_LIST = b"["[0]


class Completions(OpenAIEndpoint):
    """Meters OpenAI's completions of a text. This API is older than chat and is still served."""

    name = "completions"
    path = "/v1/completions"
    output_fields = _LIMITS
    reports_on_request = True
    members = COMPLETIONS

    def read(self, body: bytes) -> RequestSpec:
        model, fields = read_request(body, _WATCHED)
        prompts = _prompts(fields)
        members = COMPLETIONS.read(fields)
        stream = fields.flag("stream")
        hides = hidden_parts(body, fields, visible_members.COMPLETIONS) if stream else HIDES_ANYTHING
        outside = outside_input(fields)
        return RequestSpec(
            model=model,
            stream=stream,
            max_output_tokens=fields.largest(_LIMITS),
            choices=(fields.largest(COUNTS) or 1) * prompts.number,
            service_tier=tier(fields.text("service_tier")),
            open_input=members.opens or bool(outside) or not prompts.text_only,
            inputs=prompts.number,
            most_input_tokens=prompts.most_tokens(len(body)),
            wants_usage=not stream or wants_usage(fields),
            echoes=fields.has("echo"),
            reads_nothing=not (fields.has("prompt") or outside),
            unknown_members=members.unknown,
            fees=members.fees,
            hides=hides,
            limited_by=fields.given(_LIMITS),
            members=outside,
        )

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return ChatMeter(hide_usage)


def _prompts(fields: JsonMembers) -> Inputs:
    """Counts the prompts, each of which gets completions of its own.

    A list of embeddings has a prompt in each element, beside those that are text. Raises RefusedError.
    """
    raw = fields.raw("prompt")
    if raw is not None and memoryview(raw)[0] not in _PROMPTS:
        raise invalid("`prompt` must be a string or a list.")
    prompts = read_inputs(fields, "prompt")
    embedded = _embedded(fields)
    if not prompts.counted or embedded is None:
        raise invalid("`prompt` is too large a list: send fewer prompts in a request.")
    return replace(prompts, number=prompts.number + embedded)


def _embedded(fields: JsonMembers) -> int | None:
    """Counts the prompts that are embeddings. Anything but a list is one. Returns None if a list is too large."""
    raw = fields.raw("prompt_embeds")
    if raw is None or not fields.has("prompt_embeds"):
        return 0
    if memoryview(raw)[0] != _LIST:
        return 1
    embedded = fields.elements("prompt_embeds")
    return None if embedded is None else len(embedded)
