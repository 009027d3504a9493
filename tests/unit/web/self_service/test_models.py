from dataclasses import replace
from typing import Any

from softix_proxy.domain.routing.routes import ModelRoute, RouteLeg


async def test_model_list_has_the_format_of_the_client(place: Any) -> None:
    _, _, openai = await place.ask("GET", "/v1/models")
    assert [model["id"] for model in openai["data"]] == ["llama"] and openai["object"] == "list"
    _, _, anthropic = await place.ask("GET", "/v1/models?limit=1000", headers={"anthropic-version": "2023-06-01"})
    assert [model["id"] for model in anthropic["data"]] == ["llama"] and "has_more" in anthropic
    for name in ("llama", "lab/llama"):
        assert (await place.ask("GET", f"/v1/models/{name}"))[2]["id"] == "llama"


async def test_model_list_with_a_restricted_key_contains_only_allowed_models(place: Any) -> None:
    async with place.storage.writing() as unit:
        await unit.keys.update(replace(await unit.keys.get(1), models=("gpt-*",)))
    assert (await place.ask("GET", "/v1/models"))[2]["data"] == []
    assert (await place.ask("GET", "/v1/models/llama"))[0] == 404
    assert len((await place.ask("GET", "/v1/models", key="bob"))[2]["data"]) == 1


async def test_model_list_contains_a_route_only_for_users_of_its_targets(place: Any) -> None:
    async with place.storage.writing() as unit:
        await unit.routes.add(ModelRoute(0, "rte_a", "best", (RouteLeg(1),)))
        await unit.users.update(replace(await unit.users.get(2), regions=("eu",)))
    listed = (await place.ask("GET", "/v1/models"))[2]["data"]
    assert [(model["id"], model["owned_by"]) for model in listed] == [("best", "softix"), ("llama", "lab")]
    assert (await place.ask("GET", "/v1/models/best"))[2]["id"] == "best"
    assert (await place.ask("GET", "/v1/models", key="bob"))[2]["data"] == []
    assert (await place.ask("GET", "/v1/models/best", key="bob"))[0] == 404
