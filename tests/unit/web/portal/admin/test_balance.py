import asyncio
import re

import pytest
from support.one_of_each import USD
from support.operators_pages import ADMIN, BILLING, TOKEN
from support.operators_side import OperatorsSide

CHANGE, POST = "/admin/users/usr_ada/balance/change", "/admin/users/usr_ada/balance/post"
OTHER = "adm_zzzzzzzzzzzzzzzz"


def form(**changes: str) -> dict[str, str]:
    return {"kind": "add", "amount": "25.00", "reason": "invoice 17", "token": TOKEN, **changes}


async def posted_pico(side: OperatorsSide) -> int:
    return (await side.storage.reading().balance.get(1)).posted_pico


async def test_balance_page_shows_postings_with_their_reasons(side: OperatorsSide) -> None:
    text = (await side.ask(BILLING, "GET", "/admin/users/usr_ada/balance")).text
    assert "thanks" in text and "pay-1" in text and "$5.00" in text


async def test_balance_change_is_shown_before_it_is_made_and_posts_nothing(side: OperatorsSide) -> None:
    before_pico = await posted_pico(side)
    seen = await side.ask(BILLING, "POST", CHANGE, form())
    assert seen.status == 200 and seen.values is not None
    assert (seen.values["wallet"].posted_pico, seen.values["after_pico"]) == (before_pico, before_pico + 25 * USD)
    assert await posted_pico(side) == before_pico and await side.storage.reading().audit.page(None, 9) == []
    assert await side.storage.reading().ledger.by_reference(TOKEN) is None


async def test_balance_change_that_is_sent_twice_at_once_posts_once(side: OperatorsSide) -> None:
    await side.account(BILLING)
    before_pico = await posted_pico(side)
    seen = await asyncio.gather(*(side.ask(BILLING, "POST", POST, form()) for _ in range(25)))
    assert sorted({one.message for one in seen}) == ["flash.posted", "flash.posted_before"]
    assert [one.message for one in seen].count("flash.posted") == 1
    assert await posted_pico(side) == before_pico + 25 * USD
    assert len(await side.storage.reading().audit.page(None, 99)) == 1


@pytest.mark.parametrize(("amount", "difference_pico"), [("-7.50", -15 * USD // 2), ("0.000000000001", 1)])
async def test_balance_is_adjusted_by_a_difference_with_its_reason(
    side: OperatorsSide, amount: str, difference_pico: int
) -> None:
    before_pico = await posted_pico(side)
    await side.ask(BILLING, "POST", POST, form(kind="adjust", amount=amount, reason="goodwill"))
    [newest] = await side.storage.reading().balance.history(1, 1)
    assert (newest.kind, newest.amount_pico, newest.note) == ("adjustment", difference_pico, "goodwill")
    assert newest.reference == TOKEN and await posted_pico(side) == before_pico + difference_pico


async def test_credit_limit_is_set_without_a_posting(side: OperatorsSide) -> None:
    before_pico = await posted_pico(side)
    asked = form(kind="credit_limit", amount="10.00", reason="")
    assert "$10.00" in (await side.ask(BILLING, "POST", CHANGE, asked)).text
    assert (await side.ask(BILLING, "POST", POST, asked)).status == 303
    wallet = await side.storage.reading().balance.get(1)
    assert (wallet.credit_pico, wallet.posted_pico) == (10 * USD, before_pico)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "-1.00"},
        {"amount": "1e3"},
        {"amount": "25,00"},
        {"amount": ""},
        {"reason": ""},
        {"reason": "x" * 201},
        {"reason": "a\u202eb"},
        {"kind": "set"},
        {"kind": "adjust", "amount": "0"},
        {"kind": "credit_limit", "amount": "-1.00"},
        {"token": "pay-1"},
        {"token": ""},
        {"amount": "99999999999.00"},
    ],
)
@pytest.mark.parametrize("path", [CHANGE, POST])
async def test_balance_change_with_an_unusable_value_is_shown_again_and_posts_nothing(
    side: OperatorsSide, path: str, changes: dict[str, str]
) -> None:
    before_pico = await posted_pico(side)
    seen = await side.ask(BILLING, "POST", path, form(**changes))
    assert seen.status == 400 and 'role="alert"' in seen.text and "softix balance" not in seen.text
    assert await posted_pico(side) == before_pico


async def test_balance_change_with_the_token_of_another_posting_is_refused(side: OperatorsSide) -> None:
    await side.ask(BILLING, "POST", POST, form())
    before_pico = await posted_pico(side)
    for changes in ({"amount": "26.00"}, {"kind": "adjust"}):
        assert (await side.ask(BILLING, "POST", POST, form(**changes))).status == 409
    assert await posted_pico(side) == before_pico


async def test_balance_form_does_not_call_a_reason_optional_that_it_demands(side: OperatorsSide) -> None:
    text = (await side.ask(BILLING, "GET", CHANGE)).text
    assert "optional" not in text and "A credit limit needs no reason." in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": "many", "reason": ""}, "Write an amount in US dollars, such as 25.00."),
        ({"reason": ""}, "A change of a balance needs a reason."),
    ],
)
async def test_balance_form_says_in_a_sentence_what_is_wrong_with_the_amount_first(
    side: OperatorsSide, changes: dict[str, str], said: str
) -> None:
    assert said in (await side.ask(BILLING, "POST", CHANGE, form(**changes))).text


async def test_balance_form_takes_an_amount_as_people_type_it(side: OperatorsSide) -> None:
    before_pico = await posted_pico(side)
    assert (await side.ask(BILLING, "POST", POST, form(amount="$1,250.50"))).status == 303
    assert await posted_pico(side) == before_pico + 1250 * USD + USD // 2


async def test_balance_form_has_a_token_of_its_own_each_time(side: OperatorsSide) -> None:
    tokens = {
        re.findall(r'name="token" value="(adm_[0-9a-z]{16})"', (await side.ask(ADMIN, "GET", CHANGE)).text)[0]
        for _ in range(3)
    }
    assert len(tokens) == 3
    again = await side.ask(ADMIN, "POST", CHANGE, form(token=OTHER, amount="x"))
    assert f'name="token" value="{OTHER}"' in again.text, "a form that is shown again stays the same form"


async def test_balance_is_moved_by_id_only(side: OperatorsSide) -> None:
    before_pico = await posted_pico(side)
    for name in ("ada", "ada@example.org"):
        assert (await side.ask(ADMIN, "POST", f"/admin/users/{name}/balance/post", form())).status == 404
    assert await posted_pico(side) == before_pico


async def test_books_are_right_after_changes_in_the_portal(side: OperatorsSide) -> None:
    for number, (kind, amount) in enumerate((("add", "1.00"), ("adjust", "-20.00"), ("adjust", "0.5"))):
        token = f"adm_{number:016d}"
        assert (await side.ask(ADMIN, "POST", POST, form(kind=kind, amount=amount, token=token))).status == 303
    assert (await side.storage.reading().ledger.verify()).violations == ()
