"""POST /v1/moderations: free at OpenAI, which has to be stated as a price all the same."""

from __future__ import annotations

import msgspec

from softix_proxy.dialects.base import Ask, StreamMeter, UsageReport
from softix_proxy.dialects.chat import ChatMeter
from softix_proxy.dialects.fields import LARGE_BODY_BYTES, SHARED, fits, read_model
from softix_proxy.dialects.openai import OpenAIEndpoint
from softix_proxy.dialects.tokens import input_report, read_answer

DEFAULT_MODEL = "omni-moderation-latest"
"""OpenAI's, where the request names none."""
_WATCHED = SHARED | {"input"}
_TEXT_ONLY = msgspec.json.Decoder(str | list[str])


class Moderations(OpenAIEndpoint):
    """OpenAI's answer tells no tokens, others' do."""

    name = "moderations"
    path = "/v1/moderations"

    def read(self, body: bytes) -> Ask:
        model, fields = read_model(body, _WATCHED)
        return Ask(
            model=model or DEFAULT_MODEL,
            stream=fields.flag("stream"),
            max_output_tokens=0,
            open_input=len(body) > LARGE_BODY_BYTES or not fits(fields.raw("input"), _TEXT_ONLY),
        )

    def report(self, body: bytes) -> UsageReport | None:
        answer = read_answer(body)
        return None if answer is None else input_report(answer.usage, answer.model, answer.service_tier)

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return ChatMeter(hide_usage)
