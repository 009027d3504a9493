"""The endpoint POST /v1/embeddings, which has input only."""

from __future__ import annotations

from softix_proxy.dialects.core.base import RequestSpec, StreamMeter, UsageReport
from softix_proxy.dialects.core.tokens import input_report, read_answer, tier
from softix_proxy.dialects.openai.chat.endpoint import ChatMeter
from softix_proxy.dialects.openai.members import EMBEDDINGS
from softix_proxy.dialects.openai.shared import OpenAIEndpoint
from softix_proxy.dialects.request.fields import SHARED, read_request
from softix_proxy.dialects.request.inputs import read_inputs

_WATCHED = SHARED | EMBEDDINGS.watched | {"input", "messages"}


class Embeddings(OpenAIEndpoint):
    """Meters embeddings, which have input and no output."""

    name = "embeddings"
    path = "/v1/embeddings"
    members = EMBEDDINGS

    def read(self, body: bytes) -> RequestSpec:
        """Reads the spec. Text and tokens are in the body. Images come as objects, and are not bounded by their bytes.

        Each input of a list may fill the context window.
        """
        model, fields = read_request(body, _WATCHED)
        found = read_inputs(fields, "input")
        members = EMBEDDINGS.read(fields)
        return RequestSpec(
            model=model,
            stream=fields.flag("stream"),
            max_output_tokens=0,
            service_tier=tier(fields.text("service_tier")),
            open_input=members.opens or not found.text_only,
            reads_nothing=not (fields.has("input") or fields.has("messages")),
            inputs=found.number,
            most_input_tokens=found.most_tokens(len(body)),
            unknown_members=members.unknown,
            fees=members.fees,
        )

    def report(self, body: bytes) -> UsageReport | None:
        """Reads the usage. All of it is input, including tokens that only the total contains."""
        answer = read_answer(body)
        return None if answer is None else input_report(answer.usage, answer.model, answer.service_tier)

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return ChatMeter(hide_usage)
