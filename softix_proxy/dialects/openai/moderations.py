"""The endpoint POST /v1/moderations. It is free at OpenAI, which must still be stated as a price."""

from __future__ import annotations

import msgspec

from softix_proxy.dialects.core.base import RequestSpec, StreamMeter, UsageReport
from softix_proxy.dialects.core.tokens import input_report, read_answer
from softix_proxy.dialects.openai.chat.endpoint import ChatMeter
from softix_proxy.dialects.openai.members import MODERATIONS
from softix_proxy.dialects.openai.shared import OpenAIEndpoint
from softix_proxy.dialects.request.fields import SHARED, read_model
from softix_proxy.dialects.request.inputs import read_inputs

DEFAULT_MODEL = "omni-moderation-latest"
"""The model that OpenAI uses if the request names none."""
_WATCHED = SHARED | MODERATIONS.watched | {"input"}
_TEXT_ONLY = msgspec.json.Decoder(str | list[str])


class Moderations(OpenAIEndpoint):
    """Meters moderations. OpenAI's response reports no tokens, those of other providers do."""

    name = "moderations"
    path = "/v1/moderations"
    members = MODERATIONS

    def read(self, body: bytes) -> RequestSpec:
        model, fields = read_model(body, _WATCHED)
        found = read_inputs(fields, "input", _TEXT_ONLY)
        members = MODERATIONS.read(fields)
        return RequestSpec(
            model=model or DEFAULT_MODEL,
            stream=fields.flag("stream"),
            max_output_tokens=0,
            open_input=members.opens or not found.text_only,
            inputs=found.number,
            most_input_tokens=found.most_tokens(len(body)),
            unknown_members=members.unknown,
        )

    def report(self, body: bytes) -> UsageReport | None:
        answer = read_answer(body)
        return None if answer is None else input_report(answer.usage, answer.model, answer.service_tier)

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return ChatMeter(hide_usage)
