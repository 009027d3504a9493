"""The endpoints POST /v1/rerank and /v2/rerank. Cohere counts search units. Jina, Voyage and others count tokens."""

from __future__ import annotations

from typing import Any

import msgspec

from softix_proxy.dialects.core.base import RequestSpec, StreamMeter, UsageReport
from softix_proxy.dialects.core.fields import LARGE_BODY_BYTES, MALFORMED, SHARED, fits, invalid, read_request
from softix_proxy.dialects.core.tokens import count, decimals, model_name, tell
from softix_proxy.dialects.openai.chat.endpoint import ChatMeter
from softix_proxy.dialects.openai.members import RERANK
from softix_proxy.dialects.openai.shared import OpenAIEndpoint

_WATCHED = SHARED | RERANK.watched | {"documents", "query", "max_tokens_per_doc", "max_chunks_per_doc"}
_DOCUMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT_ONLY = msgspec.json.Decoder(list[str | dict[str, Any]])
_QUERY = msgspec.json.Decoder(str)
_UNIT_DOCUMENTS = 100
"""The number of documents in a search unit, which is one query over so many documents."""
_CHUNK_BYTES = 250
"""The bytes from which a document counts as several.

A chunk has 500 tokens together with the query, which may be half of that.
"""


class _Answer(msgspec.Struct):
    meta: Any = None
    usage: Any = None
    model: Any = None


_ANSWER = decimals(_Answer)


class Rerank(OpenAIEndpoint):
    """Meters the ordering of documents by a query: in searches at some providers, in tokens at others."""

    name = "rerank"
    path = "/v1/rerank"
    members = RERANK

    def read(self, body: bytes) -> RequestSpec:
        model, fields = read_request(body, _WATCHED)
        members = RERANK.read(fields)
        raw = fields.raw("documents")
        try:
            documents = 0 if raw is None else len(_DOCUMENTS.decode(raw))
        except MALFORMED:
            raise invalid("`documents` must be a list.") from None
        most = -(-(documents + len(body) // _CHUNK_BYTES) // _UNIT_DOCUMENTS)
        return RequestSpec(
            model=model,
            stream=fields.flag("stream"),
            max_output_tokens=0,
            open_input=members.opens
            or len(body) > LARGE_BODY_BYTES
            or not (fits(raw, _TEXT_ONLY) and fits(fields.raw("query"), _QUERY)),
            calls={"search_units": max(most, 1)},
            priced_by=("search_units", "input_tokens"),
            typical={"search_units": max(-(-documents // _UNIT_DOCUMENTS), 1), "input_tokens": -(-len(body) // 4)},
            unknown_members=members.unknown,
        )

    def report(self, body: bytes) -> UsageReport | None:
        try:
            answer = _ANSWER.decode(body)
        except MALFORMED:
            return None
        billed = answer.meta.get("billed_units") if isinstance(answer.meta, dict) else None
        units = count(billed, "search_units")
        if units is not None:
            return UsageReport({"search_units": units}, model_served=model_name(answer.model))
        tokens = tell(answer.usage, "prompt_tokens", "total_tokens")
        return None if tokens is None else UsageReport({"input_tokens": tokens}, model_served=model_name(answer.model))

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return ChatMeter(hide_usage)


class RerankV2(Rerank):
    name = "rerank_v2"
    path = "/v2/rerank"
