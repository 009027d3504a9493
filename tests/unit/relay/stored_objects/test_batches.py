"""Which model a batch's requests get, and what is refused. The rest is told by real SDKs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.batch_house import SHEET, Answer, House, batch_house
from support.playbook import Client

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.relay.request.route import UnpricedError
from softix_proxy.relay.stored_objects.resource_request import ResourceRequest

_WORLD = (
    """
INSERT INTO providers (id, public_id, name, type, base_url, on_hang_up, created_at_us, region) VALUES
  (2, 'prv_near', 'near', 'anthropic', 'https://near', 'cancel', 1, 'eu'),
  (3, 'prv_far', 'far', 'anthropic', 'https://far', 'cancel', 1, 'us')""",
    """
INSERT INTO models (id, name, provider_id, upstream_name, max_output_tokens, created_at_us) VALUES
  (2, 'claude', 2, 'claude-near', 100, 1), (3, 'claude', 3, 'claude-far', 100, 1), (4, 'other', 3, 'other', 100, 1)""",
    *(
        "INSERT INTO prices (model_id, source, sheet, starts_at_us, created_at_us)"
        f" VALUES ({model_id}, 'operator', '{SHEET}', 1, 1)"
        for model_id in (2, 3, 4)
    ),
)


@pytest.fixture
async def lifecycle(tmp_path: Path) -> AsyncIterator[House]:
    async with batch_house(tmp_path) as made:
        made.execute(*_WORLD)
        made.provider.says = {"/batches": Answer(200, b'{"id": "b1", "results_url": "https://near/b1"}')}
        yield made


async def make(lifecycle: House, *models: str) -> Client:
    entries = [
        {"custom_id": str(number), "params": {"model": model, "max_tokens": 5, "messages": []}}
        for number, model in enumerate(models)
    ]
    client = Client([])

    async def read_body() -> bytes:
        return json.dumps({"requests": entries}).encode()

    request = ResourceRequest("POST", "/messages/batches", "", [], "ada", "10.1.2.3", read_body, family="anthropic")
    await lifecycle.serve(request, client)
    return client


async def test_batch_sent_to_the_provider_has_its_upstream_model_names(lifecycle: House) -> None:
    client = await make(lifecycle, "claude", "claude")
    assert json.loads(client.body) == {"id": "b1", "results_url": "/v1/messages/batches/b1/results"}
    [call] = lifecycle.provider.calls
    assert (call.provider.name, call.path, call.method) == ("near", "/v1/messages/batches", "POST")
    assert [entry["params"]["model"] for entry in json.loads(call.body)["requests"]] == ["claude-near"] * 2
    made = await lifecycle.storage.reading().batches.find(1, "b1")
    assert made is not None and (made.family, made.provider_id, made.requests) == ("anthropic", 2, 2)


@pytest.mark.parametrize(
    ("change", "model", "code", "message"),
    [
        (
            "UPDATE keys SET regions = '[\"ch\"]' WHERE id = 1",
            "claude",
            Code.MODEL_NOT_FOUND,
            "its model is none that takes batches here. See GET /v1/models.",
        ),
        (
            "UPDATE keys SET models = '[\"gpt-*\"]' WHERE id = 1",
            "claude",
            Code.MODEL_NOT_FOUND,
            "its model is none that takes batches here. See GET /v1/models.",
        ),
        (
            "UPDATE models SET status = 'disabled'",
            "claude",
            Code.MODEL_NOT_FOUND,
            "its model is none that takes batches here. See GET /v1/models.",
        ),
        ("", "llama", Code.MODEL_NOT_FOUND, "its model is none that takes batches here. See GET /v1/models."),
        ("", "wombat", Code.MODEL_NOT_FOUND, "its model is none that takes batches here. See GET /v1/models."),
    ],
)
async def test_batch_with_model_that_the_key_may_not_use_is_refused(
    lifecycle: House, change: str, model: str, code: Code, message: str
) -> None:
    lifecycle.execute(*([change] if change else []))
    with pytest.raises(RefusedError) as refused:
        await make(lifecycle, model)
    assert (refused.value.code, refused.value.message) == (code, f"Request 1 of the batch: {message}")
    assert lifecycle.provider.calls == [] and await lifecycle.held_pico() == 0


@pytest.mark.parametrize(
    ("change", "provider"),
    [
        ("UPDATE keys SET regions = '[\"us\"]' WHERE id = 1", "far"),
        ("UPDATE keys SET models = '[\"far/*\"]' WHERE id = 1", "far"),
        ("UPDATE providers SET status = 'disabled' WHERE id = 2", "far"),
        ("UPDATE models SET status = 'disabled' WHERE id = 2", "far"),
    ],
)
async def test_batch_with_several_models_of_the_name_uses_the_first_allowed_one(
    lifecycle: House, change: str, provider: str
) -> None:
    lifecycle.execute(change)
    assert (await make(lifecycle, "claude")).status == 200
    assert [call.provider.name for call in lifecycle.provider.calls] == [provider]


async def test_batch_with_models_of_two_providers_is_refused(lifecycle: House) -> None:
    with pytest.raises(RefusedError, match=r"Request 2 .* at one provider"):
        await make(lifecycle, "claude", "other")
    assert lifecycle.provider.calls == []


@pytest.mark.parametrize("prices", ['{"input": "1"}', '{"output": "2"}'])
async def test_batch_with_model_without_input_or_output_price_is_refused(lifecycle: House, prices: str) -> None:
    """What the one price leaves out would be free."""
    lifecycle.execute(
        "INSERT INTO prices (model_id, source, sheet, starts_at_us, created_at_us)"
        f" VALUES (2, 'operator', '{{\"bands\": [{{\"prices\": {prices}}}]}}', 2, 2)"
    )
    with pytest.raises(UnpricedError, match="Request 1 of the batch: The model claude has no price") as refused:
        await make(lifecycle, "claude")
    assert refused.value.code is Code.MODEL_NOT_PRICED
    assert lifecycle.provider.calls == [] and await lifecycle.held_pico() == 0
