from softix_proxy import assembly
from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.pricing import PriceSheet
from softix_proxy.domain.providers import ProviderType
from softix_proxy.operations import models, prices, providers
from softix_proxy.settings import Settings

SHEET = PriceSheet.parse({"bands": [{"prices": {"input": "1.00", "output": "2.00"}}]})


async def add(settings: Settings, *names: str, sheet: PriceSheet | None = None) -> None:
    async with assembly.open_office(settings) as office:
        if not await providers.list_all(office.storage):
            await providers.add(
                office.storage,
                await office.vault(),
                name="lab",
                kind=ProviderType.OPENAI_COMPATIBLE,
                base_url="http://lab:8000",
            )
        for name in names:
            await models.add(office.storage, name=name, provider="lab", sheet=sheet)


async def test_priced_models_are_well(made: Settings, look) -> None:
    await add(made, "small", "large", sheet=SHEET)
    [found] = await look("prices")
    assert (found.severity, found.message) == (Severity.OK, "every active model has a price (2)")


async def test_the_most_asked_for_comes_first_until_it_has_its_price(made: Settings, look, books) -> None:
    await add(made, "idle", "wanted")
    books.execute("INSERT INTO unpriced_asks SELECT id, 7, 5 FROM models WHERE name = 'wanted'")
    wanted, idle = await look("prices")
    assert {wanted.severity, idle.severity} == {Severity.WARNING}
    assert wanted.message == "lab/wanted has no price: requests for it are refused (so far: 7)"
    assert idle.remedy.startswith("run: softix prices set lab/idle ")
    async with assembly.open_office(made) as office:
        await prices.set_price(office.storage, "wanted", SHEET)
    assert [found.message for found in await look("prices")] == [idle.message]


async def test_many_are_counted(made: Settings, look) -> None:
    await add(made, *(f"model-{number}" for number in range(14)))
    findings = await look("prices")
    assert len(findings) == 11
    assert findings[-1].message == "4 more models have no price"
