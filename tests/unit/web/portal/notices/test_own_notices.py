"""The page on which a person chooses what to be told."""

from __future__ import annotations

import re

import pytest
from support.portal import Portal, organisation

from softix_proxy.domain.notices.notice_preferences import OPTIONAL_KINDS
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.access import users
from softix_proxy.operations.notices import notice_preferences
from softix_proxy.web.portal.notices.own_notices import NOTICES

USD = 10**12
ALL = {f"kind_{kind.value}": "yes" for kind in OPTIONAL_KINDS}


def checked(text: str) -> set[str]:
    return set(re.findall(r'name="kind_(\w+)" value="yes" checked', text))


async def test_kinds_and_balances_are_chosen_and_shown_again(portal: Portal) -> None:
    account = await portal.account()
    user = await organisation(portal, "engines", account)
    token = await portal.sign_in(account)
    shown = await portal.get(NOTICES, token=token)
    assert shown.title == "Messages" and checked(shown.text) == {kind.value for kind in OPTIONAL_KINDS}
    form = {**ALL, f"thresholds_{user.public_id}": "20,  $5.00 5"}
    del form["kind_receipt"]
    done = await portal.post(NOTICES, form, token=token)
    assert (done.status, done.location) == (303, NOTICES)
    chosen = await notice_preferences.show(portal.storage, account.id)
    assert chosen.muted == {NoticeKind.RECEIPT}
    assert [(each.user_id, each.amounts_pico) for each in chosen.organisations] == [(user.id, [20 * USD, 5 * USD])]
    shown = await portal.get(NOTICES, token=token)
    assert "receipt" not in checked(shown.text) and "key_created" in checked(shown.text)
    assert 'value="5.00, 20.00"' in shown.text


async def test_organisation_has_the_name_that_people_see(portal: Portal) -> None:
    account = await portal.account()
    await users.update(
        portal.storage, (await organisation(portal, "engines", account)).public_id, display_name="The Works"
    )
    text = (await portal.get(NOTICES, token=await portal.sign_in(account))).text
    assert "The Works" in text and "engines" not in text


async def test_messages_that_are_owed_are_no_choice(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account())
    text = (await portal.get(NOTICES, token=token)).text
    for kind in {*NoticeKind} - OPTIONAL_KINDS:
        assert f"kind_{kind.value}" not in text


@pytest.mark.parametrize("typed", ["five", "-1", "1,2,3,4,5,6", "1, 2, 3, 4, 5, 6", "9" * 20, "<script>"])
async def test_balances_that_are_no_amounts_are_shown_again_and_nothing_is_saved(portal: Portal, typed: str) -> None:
    account = await portal.account()
    user = await organisation(portal, "engines", account)
    token = await portal.sign_in(account)
    again = await portal.post(NOTICES, {f"thresholds_{user.public_id}": typed}, token=token)
    assert again.status == 400 and "Give at most five amounts" in again.text and "<script>" not in again.text
    chosen = await notice_preferences.show(portal.storage, account.id)
    assert chosen.muted == frozenset() and [each.amounts_pico for each in chosen.organisations] == [[]]


@pytest.mark.parametrize(
    "typed", ["1,000.00", "$1,000", "20,500", "1 000", "1\u00a0000.50", "1\u202f000", "5.00, 1,000", "20,5", "0,500"]
)
async def test_balances_that_may_be_one_amount_or_two_are_refused(portal: Portal, typed: str) -> None:
    account = await portal.account()
    user = await organisation(portal, "engines", account)
    token = await portal.sign_in(account)
    again = await portal.post(NOTICES, {f"thresholds_{user.public_id}": typed}, token=token)
    assert again.status == 400 and "Give at most five amounts" in again.text
    chosen = await notice_preferences.show(portal.storage, account.id)
    assert [each.amounts_pico for each in chosen.organisations] == [[]]


@pytest.mark.parametrize("typed", ["1000, 5.00", "$1000.00;5", " 5.00 ,  1000,", "1000\n5", "5 1000.00", ";5;;1000;"])
async def test_balances_are_separated_by_commas_semicolons_or_spaces(portal: Portal, typed: str) -> None:
    account = await portal.account()
    user = await organisation(portal, "engines", account)
    token = await portal.sign_in(account)
    assert (await portal.post(NOTICES, {f"thresholds_{user.public_id}": typed}, token=token)).status == 303
    chosen = await notice_preferences.show(portal.storage, account.id)
    assert [each.amounts_pico for each in chosen.organisations] == [[1000 * USD, 5 * USD]]


async def test_balances_of_an_organisation_of_others_are_not_looked_at(portal: Portal) -> None:
    other = await organisation(portal, "others", await portal.account("eve@example.org"))
    account = await portal.account()
    token = await portal.sign_in(account)
    assert "others" not in (await portal.get(NOTICES, token=token)).text
    assert (await portal.post(NOTICES, {f"thresholds_{other.public_id}": "5"}, token=token)).status == 303
    async with portal.storage.writing() as unit:
        assert await unit.notice_preferences.all_thresholds() == {}


async def test_page_of_messages_needs_a_person(portal: Portal) -> None:
    assert (await portal.get(NOTICES)).location.startswith("/sign-in")
