"""The endpoints POST /v1/rerank and /v2/rerank. Cohere counts search units. Jina, Voyage and others count tokens."""

from __future__ import annotations

from typing import Any

import msgspec

from softix_proxy.dialects.core.base import RequestSpec, StreamMeter, UsageReport
from softix_proxy.dialects.core.tokens import count, decimals, model_name, tell
from softix_proxy.dialects.openai.chat.endpoint import ChatMeter
from softix_proxy.dialects.openai.members import RERANK
from softix_proxy.dialects.openai.shared import OpenAIEndpoint
from softix_proxy.dialects.request.fields import MALFORMED, SHARED, fits, invalid, read_request
from softix_proxy.dialects.request.inputs import TEMPLATE_TOKENS, read_inputs

_WATCHED = SHARED | RERANK.watched | {"documents", "query", "max_tokens_per_doc", "max_chunks_per_doc"}
_LIST = b"["[0]
_QUERY = msgspec.json.Decoder(str)
_UNIT_DOCUMENTS = 100
"""The number of documents in a search unit, which is one query over so many documents."""
_CHUNK_BYTES = 250
"""The bytes from which a document counts as several.

A chunk has 500 tokens together with the query, which may be half of that.
"""

_PAIR_ADDS_TOKENS = 256
"""The most tokens that a provider adds to a query with one document: marks, and an instruction to the model."""


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    title: str | None = None


_TEXT_ONLY = msgspec.json.Decoder(list[str | _Document])


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
        if raw is not None and memoryview(raw)[0] != _LIST:
            raise invalid("`documents` must be a list.")
        documents = read_inputs(fields, "documents", _TEXT_ONLY)
        chunks = documents.number + len(body) // _CHUNK_BYTES
        query = fields.raw("query")
        each = _PAIR_ADDS_TOKENS + (0 if query is None else memoryview(query).nbytes)
        return RequestSpec(
            model=model,
            stream=fields.flag("stream"),
            max_output_tokens=0,
            open_input=members.opens or not (documents.text_only and fits(query, _QUERY)),
            inputs=chunks,
            most_input_tokens=len(body) + TEMPLATE_TOKENS + chunks * each,
            calls={"search_units": -(-chunks // _UNIT_DOCUMENTS)},
            priced_by=("search_units", "input_tokens"),
            typical={"search_units": -(-documents.number // _UNIT_DOCUMENTS), "input_tokens": -(-len(body) // 4)},
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
