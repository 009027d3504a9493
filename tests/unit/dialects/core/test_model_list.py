from __future__ import annotations

import json
from typing import Any

import anthropic
import openai
import pytest
from google import genai

from softix_proxy.dialects.core.base import Family
from softix_proxy.dialects.core.model_list import ListedModel, read_names, render, render_one

CREATED_US = 1_760_000_000_500_000
MODELS = [ListedModel("gpt-4o-mini", "main", CREATED_US), ListedModel("o4-mini", "spare", CREATED_US)]


def answers(family: Family) -> Any:
    one, all_of_them = render_one(family, MODELS[1]), render(family, MODELS)
    return lambda path: (200, "application/json", one if path.endswith("o4-mini") else all_of_them)


def test_openai_sdk_with_our_model_list_reads_it(serve: Any) -> None:
    with openai.OpenAI(api_key="k", base_url=serve(answers("openai")) + "/v1") as client:
        listed = list(client.models.list())
        assert [(model.id, model.owned_by, model.object) for model in listed] == [
            ("gpt-4o-mini", "main", "model"),
            ("o4-mini", "spare", "model"),
        ]
        assert client.models.retrieve("o4-mini").created == 1_760_000_000


def test_anthropic_sdk_with_our_model_list_reads_it(serve: Any) -> None:
    with anthropic.Anthropic(api_key="k", base_url=serve(answers("anthropic"))) as client:
        page = client.models.list(limit=1000)
        assert [model.id for model in page] == ["gpt-4o-mini", "o4-mini"]
        assert (page.has_more, page.first_id, page.last_id) == (False, "gpt-4o-mini", "o4-mini")
        one = client.models.retrieve("o4-mini")
        assert (one.type, one.display_name) == ("model", "o4-mini")
        assert one.created_at.isoformat() == "2025-10-09T08:53:20+00:00"


def test_google_sdk_with_our_model_list_reads_it(serve: Any) -> None:
    with genai.Client(api_key="k", http_options={"base_url": serve(answers("gemini"))}) as client:
        assert [model.name for model in client.models.list()] == ["models/gpt-4o-mini", "models/o4-mini"]
        one = client.models.get(model="o4-mini")
        assert (one.name, one.display_name) == ("models/o4-mini", "o4-mini")
        assert one.supported_actions is not None and "generateContent" in one.supported_actions


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("openai", {"object": "list", "data": []}),
        ("gemini", {"models": []}),
        ("anthropic", {"data": [], "has_more": False, "first_id": None, "last_id": None}),
    ],
)
def test_model_list_without_models_is_empty_in_each_family(family: Family, expected: Any) -> None:
    assert json.loads(render(family, [])) == expected


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"object": "list", "data": [{"id": "a", "object": "model"}, {"id": "b"}, {"id": "a"}]}, ("a", "b")),
        ({"models": [{"name": "models/gemini-x"}, {"name": "command"}]}, ("gemini-x", "command")),
        ([{"id": "a", "type": "chat"}], ("a",)),
        ({"object": "list", "data": None}, ()),
        ({"error": "no"}, None),
        ({"data": [{"id": 7}]}, None),
        ("text", None),
    ],
)
def test_model_names_from_each_shape_of_list_are_read(body: Any, names: tuple[str, ...] | None) -> None:
    assert read_names(json.dumps(body).encode()) == names
    assert read_names(b"\xff{") is None
