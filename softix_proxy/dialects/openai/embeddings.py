"""The endpoint POST /v1/embeddings, which has input only."""

from __future__ import annotations

import msgspec

from softix_proxy.dialects.core.base import RequestSpec, StreamMeter, UsageReport
from softix_proxy.dialects.core.fields import SHARED, fits, is_heavy, read_request
from softix_proxy.dialects.core.tokens import input_report, read_answer, tier
from softix_proxy.dialects.openai.chat.endpoint import ChatMeter
from softix_proxy.dialects.openai.members import EMBEDDINGS
from softix_proxy.dialects.openai.shared import OpenAIEndpoint

_WATCHED = SHARED | EMBEDDINGS.watched | {"input", "messages"}
_TEXT_ONLY = msgspec.json.Decoder(str | list[str | int | list[int]])
"""A decoder that accepts text and tokens only. Images come as objects."""


class Embeddings(OpenAIEndpoint):
    """Meters embeddings, which have input and no output."""

    name = "embeddings"
    path = "/v1/embeddings"
    members = EMBEDDINGS

    def read(self, body: bytes) -> RequestSpec:
        model, fields = read_request(body, _WATCHED)
        members = EMBEDDINGS.read(fields)
        return RequestSpec(
            model=model,
            stream=fields.flag("stream"),
            max_output_tokens=0,
            service_tier=tier(fields.text("service_tier")),
            open_input=members.opens or is_heavy(body) or not fits(fields.raw("input"), _TEXT_ONLY),
            reads_nothing=not (fields.has("input") or fields.has("messages")),
            unknown_members=members.unknown,
            fees=members.fees,
        )

    def report(self, body: bytes) -> UsageReport | None:
        """Reads the usage. All of it is input, including tokens that only the total contains."""
        answer = read_answer(body)
        return None if answer is None else input_report(answer.usage, answer.model, answer.service_tier)

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return ChatMeter(hide_usage)
