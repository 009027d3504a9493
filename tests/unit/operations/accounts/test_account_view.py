"""The account of a session, and the organisation that its pages are about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.portal import Portal, organisation, serving_portal

from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.core.secret_tokens import token_digest
from softix_proxy.operations.accounts import account_view
from softix_proxy.operations.accounts.account_view import AccountView


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[Portal]:
    async with serving_portal(tmp_path, []) as served:
        yield served


async def load(portal: Portal, account: Account, chosen: str = "") -> AccountView | None:
    digest = token_digest(await portal.sign_in(account, account.public_id))
    session = await portal.storage.reading().sessions.by_digest(digest, portal.clock.now_us())
    assert session is not None
    return await account_view.load(portal.storage, session, chosen)


async def test_view_without_a_choice_is_about_the_first_organisation(portal: Portal) -> None:
    ada = await portal.account()
    first = await organisation(portal, "first", ada)
    await organisation(portal, "second", ada)
    view = await load(portal, ada)
    assert view is not None and view.organisation is not None
    assert view.organisation.public_id == first.public_id
    assert len(view.memberships) == 2


async def test_view_is_about_the_organisation_that_was_chosen(portal: Portal) -> None:
    ada = await portal.account()
    await organisation(portal, "first", ada)
    second = await organisation(portal, "second", ada)
    view = await load(portal, ada, second.public_id)
    assert view is not None and view.organisation is not None
    assert view.organisation.public_id == second.public_id
    joined = await account_view.joined(portal.storage, ada.id)
    assert [each.organisation.name for each in joined] == ["first", "second"]


@pytest.mark.parametrize("reference", ["id", "usr_nobody", "strange", "strange@example.org", ""])
async def test_choice_of_what_the_account_does_not_belong_to_counts_as_none(portal: Portal, reference: str) -> None:
    ada, bob = await portal.account(), await portal.account("bob@example.org")
    own = await organisation(portal, "own", ada)
    strange = await organisation(portal, "strange", bob)
    view = await load(portal, ada, strange.public_id if reference == "id" else reference)
    assert view is not None and view.organisation is not None
    assert view.organisation.public_id == own.public_id


async def test_view_of_an_account_in_no_organisation_has_none(portal: Portal) -> None:
    view = await load(portal, await portal.account())
    assert view is not None
    assert (view.membership, view.organisation, view.memberships) == (None, None, ())


async def test_account_that_may_not_sign_in_any_more_has_no_view(portal: Portal) -> None:
    assert await load(portal, await portal.account(status=AccountStatus.DISABLED)) is None
    assert await load(portal, await portal.account("bob@example.org", verified_at_us=None)) is None
