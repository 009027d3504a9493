from softix_proxy import assembly
from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.catalog import models, providers
from softix_proxy.operations.pricing import prices
from softix_proxy.settings import Settings

SHEET = PriceSheet.parse({"bands": [{"prices": {"input": "1.00", "output": "2.00"}}]})


async def add(settings: Settings, *names: str, sheet: PriceSheet | None = None) -> None:
    async with assembly.open_instance(settings) as opened:
        if not await providers.list_all(opened.storage):
            await providers.add(
                opened.storage,
                await opened.vault(),
                name="lab",
                kind=ProviderType.OPENAI_COMPATIBLE,
                base_url="http://lab:8000",
            )
        for name in names:
            await models.add(opened.storage, name=name, provider="lab", sheet=sheet)


async def test_price_check_with_every_model_priced_is_ok(made: Settings, look) -> None:
    await add(made, "small", "large", sheet=SHEET)
    [found] = await look("prices")
    assert (found.severity, found.message) == (Severity.OK, "every active model has a price (2)")


async def test_price_check_with_unpriced_models_lists_the_most_requested_first(made: Settings, look, books) -> None:
    await add(made, "idle", "wanted")
    books.execute("INSERT INTO unpriced_asks SELECT id, 7, 5 FROM models WHERE name = 'wanted'")
    wanted, idle = await look("prices")
    assert {wanted.severity, idle.severity} == {Severity.WARNING}
    assert wanted.message == "lab/wanted has no price: requests for it are refused (so far: 7)"
    assert idle.remedy.startswith("run: softix prices set lab/idle ")
    async with assembly.open_instance(made) as opened:
        await prices.set_price(opened.storage, "wanted", SHEET)
    assert [found.message for found in await look("prices")] == [idle.message]


async def test_price_check_with_many_unpriced_models_counts_the_rest(made: Settings, look) -> None:
    await add(made, *(f"model-{number}" for number in range(14)))
    findings = await look("prices")
    assert len(findings) == 11
    assert findings[-1].message == "4 more models have no price"
