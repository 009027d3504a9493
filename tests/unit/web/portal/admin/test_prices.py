from dataclasses import replace

import pytest
from support.operators_pages import ADMIN, BILLING
from support.operators_side import OperatorsSide

PATH = "/admin/prices/proposals"


async def asked(side: OperatorsSide, decision: str) -> dict[str, str]:
    """The form of the page as it is now."""
    seen = await side.ask(BILLING, "GET", PATH)
    assert seen.values is not None
    return {"model": "lab/llama", "decision": decision, "seen": seen.values["marks"]["lab/llama"]}


async def test_prices_page_shows_versions_markups_and_what_waits(side: OperatorsSide) -> None:
    text = (await side.ask(BILLING, "GET", "/admin/prices")).text
    for part in ("lab/llama", "2.50", "10.00", "own price", "7.5%", "1 proposed price waits"):
        assert part in text


@pytest.mark.parametrize(("decision", "versions"), [("approve", 3), ("reject", 2)])
async def test_proposal_is_decided_once(side: OperatorsSide, decision: str, versions: int) -> None:
    form = await asked(side, decision)
    assert (await side.ask(BILLING, "POST", PATH, form)).status == 303
    unit = side.storage.reading()
    assert len(await unit.prices.list()) == versions and await unit.prices.proposals() == []
    assert (await side.ask(BILLING, "POST", PATH, form)).status == 400
    assert len(await side.storage.reading().prices.list()) == versions


@pytest.mark.parametrize("decision", ["approve", "reject"])
async def test_proposal_that_was_replaced_meanwhile_is_shown_again(side: OperatorsSide, decision: str) -> None:
    form = await asked(side, decision)
    async with side.storage.writing() as unit:
        [waiting] = await unit.prices.proposals()
        await unit.prices.propose([replace(waiting, created_at_us=waiting.created_at_us + 1)])
    assert (await side.ask(BILLING, "POST", PATH, form)).status == 409
    assert len(await side.storage.reading().prices.proposals()) == 1
    assert len(await side.storage.reading().prices.list()) == 2


@pytest.mark.parametrize(
    "change", [{"decision": ""}, {"decision": "drop"}, {"model": ""}, {"seen": ""}, {"seen": "1"}, {"seen": "x-y"}]
)
async def test_decision_that_is_not_complete_decides_nothing(side: OperatorsSide, change: dict[str, str]) -> None:
    form = {**await asked(side, "approve"), **change}
    assert (await side.ask(ADMIN, "POST", PATH, form)).status == 400
    assert len(await side.storage.reading().prices.proposals()) == 1
