"""Writes the model lists of GET /v1/models and /v1/models/{name}, or /v1beta, in the shape of the client's dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from softix_proxy.dialects.core.base import Family
from softix_proxy.dialects.request.fields import MALFORMED
from softix_proxy.domain.core.clock import SECOND_US, from_us


class _Named(msgspec.Struct):
    id: str = ""
    name: str = ""


class _Listed(msgspec.Struct):
    """A provider's model list: OpenAI's and Anthropic's `data`, or Google's and Cohere's `models`.

    An idle Ollama has null in `data`.
    """

    data: list[_Named] | msgspec.UnsetType | None = msgspec.UNSET
    models: list[_Named] | msgspec.UnsetType | None = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class ListedModel:
    name: str
    owned_by: str
    created_at_us: int


_METHODS = ("generateContent", "countTokens", "embedContent", "batchEmbedContents")


def render(family: Family, models: Sequence[ListedModel]) -> bytes:
    data = [_entry(family, model) for model in models]
    if family == "openai":
        return msgspec.json.encode({"object": "list", "data": data})
    if family == "gemini":
        return msgspec.json.encode({"models": data})
    ends = (models[0].name, models[-1].name) if models else (None, None)
    return msgspec.json.encode({"data": data, "has_more": False, "first_id": ends[0], "last_id": ends[1]})


def render_one(family: Family, model: ListedModel) -> bytes:
    return msgspec.json.encode(_entry(family, model))


def read_names(body: bytes) -> tuple[str, ...] | None:
    """Reads the names from a provider's model list in any of the known shapes. Returns None if it is no such list."""
    try:
        found = msgspec.json.decode(body, type=_Listed | list[_Named])
    except MALFORMED:
        return None
    if isinstance(found, _Listed):
        if found.data is msgspec.UNSET and found.models is msgspec.UNSET:
            return None
        found = (found.data or found.models) or []
    names = (entry.id or entry.name.removeprefix("models/") for entry in found)
    return tuple(dict.fromkeys(name for name in names if name))


def _entry(family: Family, model: ListedModel) -> Mapping[str, Any]:
    if family == "openai":
        created_s = model.created_at_us // SECOND_US
        return {"id": model.name, "object": "model", "created": created_s, "owned_by": model.owned_by}
    if family == "gemini":
        return {"name": f"models/{model.name}", "displayName": model.name, "supportedGenerationMethods": _METHODS}
    created = from_us(model.created_at_us).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": "model", "id": model.name, "display_name": model.name, "created_at": created}
