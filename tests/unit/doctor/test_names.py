from softix_proxy import assembly
from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.routing.routes import ModelRoute, RouteLeg
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.catalog import models, providers
from softix_proxy.settings import Settings


async def fill(settings: Settings, *patterns: str, offered: tuple[str, ...] = ("openai/gpt-4o", "openai/o3")) -> str:
    """The public id of a key with these patterns. `offered` are the models of openrouter."""
    async with assembly.open_instance(settings) as opened:
        vault = await opened.vault()
        for name in ("openai", "openrouter"):
            kind = ProviderType.OPENAI_COMPATIBLE
            await providers.add(opened.storage, vault, name=name, kind=kind, base_url="http://lab:8000")
        await models.add(opened.storage, name="gpt-4o", provider="openai")
        for name in offered:
            await models.add(opened.storage, name=name, provider="openrouter")
        await users.create(opened.storage, name="ada", email="ada@example.org", role=UserRole.USER, postpaid=False)
        issued = await keys.create(opened.storage, vault, user="ada", models=patterns)
        return issued.key.public_id


async def test_names_check_without_ambiguous_names_is_ok(made: Settings, look) -> None:
    await fill(made, "openai/*", offered=("llama",))
    [found] = await look("names")
    assert found.severity is Severity.OK


async def test_names_check_lists_a_key_that_may_use_less_than_before(made: Settings, look, books) -> None:
    key = await fill(made, "openai/*")
    [hidden] = await look("names")
    assert hidden.message.startswith("openai/gpt-4o, openai/o3 of openrouter: the names begin with")
    assert hidden.remedy == "have clients call them openrouter/openai/gpt-4o and so on"
    books.execute("UPDATE keys SET earlier_models = models")
    lost, _ = await look("names")
    assert lost.severity is Severity.WARNING
    assert lost.message == (
        f"the key {key} had 'openai/*', now 'openai/*', and so no longer openrouter/openai/gpt-4o, openrouter/openai/o3"
    )
    whole = "openai/*,openrouter/openai/gpt-4o,openrouter/openai/o3"
    assert lost.remedy == (
        f"to give it back: softix keys update {key} --models '{whole}';"
        f" to leave it so: softix keys update {key} --models 'openai/*'"
    )
    async with assembly.open_instance(made) as opened:
        await keys.update(opened.storage, key, models=["openai/*"])
    assert [found.message for found in await look("names")] == [hidden.message], "the remedy works"


async def test_names_check_leaves_out_a_key_that_lost_nothing(made: Settings, look, books) -> None:
    await fill(made, "gpt-*", offered=("llama",))
    books.execute("UPDATE keys SET earlier_models = models")
    assert [found.severity for found in await look("names")] == [Severity.OK]


async def test_names_check_lists_a_route_whose_name_names_a_provider(made: Settings, look) -> None:
    await fill(made, offered=("llama",))
    async with assembly.open_instance(made) as opened, opened.storage.writing() as unit:
        await unit.routes.add(ModelRoute(0, "rte_a", "openai/best", (RouteLeg(2),)))
    [found] = await look("names")
    assert found.message.startswith("the name of the route openai/best begins with that of a provider")
