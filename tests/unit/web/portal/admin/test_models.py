from support.operators_pages import ADMIN, BILLING
from support.operators_side import OperatorsSide

from softix_proxy.domain.catalog.models import ModelStatus


async def test_models_page_finds_by_part_of_the_name_and_says_what_has_no_price(side: OperatorsSide) -> None:
    assert "lab/llama" in (await side.ask(BILLING, "GET", "/admin/models", q="LLA")).text
    assert "lab/llama" not in (await side.ask(BILLING, "GET", "/admin/models", q="gpt")).text
    assert "no price: refused" not in (await side.ask(BILLING, "GET", "/admin/models")).text


async def test_model_with_a_slash_in_its_name_is_disabled_by_its_button(side: OperatorsSide) -> None:
    from dataclasses import replace

    async with side.storage.writing() as unit:
        [model] = await unit.models.list()
        await unit.models.add_all([replace(model, name="meta/llama-3")])
    form = {"model": "lab/meta/llama-3", "status": "disabled"}
    assert (await side.ask(ADMIN, "POST", "/admin/models", form)).status == 303
    states = {model.name: model.status for model in await side.storage.reading().models.list()}
    assert states == {"llama": ModelStatus.ACTIVE, "meta/llama-3": ModelStatus.DISABLED}
    assert "meta/llama-3" in (await side.ask(ADMIN, "GET", "/admin/models")).text


async def test_model_that_nobody_named_is_missing(side: OperatorsSide) -> None:
    assert (await side.ask(ADMIN, "POST", "/admin/models", {"status": "disabled"})).status == 404
