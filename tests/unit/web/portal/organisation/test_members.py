"""The pages of members: what they show, and what their forms do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.operations.access import keys
from softix_proxy.operations.metering import budgets
from softix_proxy.operations.organisations import invitations, key_owners, organisations


async def role_of(acme: Any, account: str) -> str | None:
    members = await organisations.members(acme.portal.storage, "acme", OPERATOR)
    return next((each.membership.role.value for each in members if each.account.public_id == account), None)


async def test_list_of_members_shows_invitations_only_to_those_who_manage(acme: Any) -> None:
    for who, shows in (("owner", True), ("member", False)):
        text = (await acme.ask("GET", "/members", who)).text
        assert "viewer@example.org" in text and ("grace@example.org" in text) is shows
        assert ("/members/invite" in text) is shows


@pytest.mark.parametrize(("who", "roles"), [("owner", 5), ("admin", 4)])
async def test_member_page_offers_the_roles_that_the_person_may_give(acme: Any, who: str, roles: int) -> None:
    text = (await acme.ask("GET", "/members/acc_member", who)).text
    assert sum(f'value="{role.value}"' in text for role in OrganisationRole) == roles


async def test_admin_sees_an_owner_and_no_form_to_change_one(acme: Any) -> None:
    text = (await acme.ask("GET", "/members/acc_owner", "admin")).text
    assert "owner@example.org" in text and "/members/acc_owner/role" not in text
    refused = await acme.ask("POST", "/members/acc_owner/role", "admin", {"role": "viewer"})
    assert refused.status == 409 and await role_of(acme, "acc_owner") == "owner"


async def test_role_field_of_a_form_raises_nobody_above_who_sends_it(acme: Any) -> None:
    """Case 32, through the pages."""
    for who, account in (("admin", "acc_admin"), ("admin", "acc_member")):
        refused = await acme.ask("POST", f"/members/{account}/role", who, {"role": "owner"})
        assert refused.status == 409
    assert (await acme.ask("POST", "/members/acc_member/role", "owner", {"role": "king"})).status == 400
    assert await role_of(acme, "acc_admin") == "admin" and await role_of(acme, "acc_member") == "member"
    await acme.ask("POST", "/members/invite", "admin", {"email": "new@example.org", "role": "owner"})
    opened = await invitations.open_of(acme.portal.storage, "acme", OPERATOR)
    assert [each.email for each in opened] == ["grace@example.org"]


async def test_right_ends_with_the_membership_and_not_with_the_session(acme: Any) -> None:
    assert (await acme.ask("POST", "/members/acc_admin/remove", "owner")).status == 303
    for path in ("/members", "/members/invite"):
        assert (await acme.ask("GET", path, "admin")).status == 404


async def test_removal_revokes_keys_or_hands_them_over_as_the_form_says(acme: Any) -> None:
    storage = acme.portal.storage
    await key_owners.assign(storage, "acme", "ci", OPERATOR, member="acc_member")
    await key_owners.assign(storage, "acme", "free", OPERATOR, member="acc_member")
    page = (await acme.ask("GET", "/members/acc_member", "owner")).text
    assert 'value="revoke"' in page and 'value="acc_admin"' in page and 'value="acc_viewer"' not in page
    refused = await acme.ask("POST", "/members/acc_member/remove", "owner", {"keys": "acc_viewer"})
    assert refused.status == 409 and await role_of(acme, "acc_member") == "member"
    assert (await acme.ask("POST", "/members/acc_member/remove", "owner", {"keys": "acc_admin"})).status == 303
    assert {key.status.value for key in await keys.list_all(storage)} == {"active"}


async def test_last_owner_who_leaves_is_told_why_not(acme: Any) -> None:
    refused = await acme.ask("POST", "/members/leave", "owner")
    assert refused.status == 409 and "at least one owner" in refused.text
    left = await acme.ask("POST", "/members/leave", "viewer")
    assert (left.status, left.location) == (303, "/account")
    assert await role_of(acme, "acc_viewer") is None


async def test_budget_of_a_member_is_set_from_the_members_page(acme: Any) -> None:
    form = {"amount": "5.00", "period": "week"}
    assert (await acme.ask("POST", "/members/acc_member/budget", "owner", form)).location == "/members/acc_member"
    found = await budgets.list_all(acme.portal.storage, "acme", OPERATOR)
    assert [(each.budget.period, each.budget.amount_pico) for each in found if each.account] == [("week", 5 * 10**12)]
    for wrong in ({"amount": "-1", "period": "day"}, {"amount": "5", "period": "year"}, {}):
        refused = await acme.ask("POST", "/members/acc_member/budget", "owner", wrong)
        assert refused.status == 400 and 'role="alert"' in refused.text


async def test_invitation_form_keeps_what_was_typed_and_says_what_is_wrong(acme: Any) -> None:
    refused = await acme.ask("POST", "/members/invite", "owner", {"email": "<b>@example.org", "role": "admin"})
    assert refused.status == 400 and "&lt;b&gt;@example.org" in refused.text and "<b>@" not in refused.text
    assert 'value="admin" selected' in refused.text


@pytest.mark.parametrize(("registration", "told"), [("closed", True), ("invitation", False)])
async def test_invitation_form_says_if_nobody_can_register(acme: Any, registration: str, told: bool) -> None:
    context = acme.portal.context
    settings = context.settings
    context.take_all(replace(settings, portal=replace(settings.portal, registration=registration)))
    text = (await acme.ask("GET", "/members/invite", "owner")).text
    assert ("Nobody can register here" in text) is told


async def test_name_of_a_person_is_text_and_no_markup(acme: Any) -> None:
    await acme.portal.account("mallory@example.org", display_name="<script>alert(1)</script>")
    async with acme.portal.storage.writing() as unit:
        mallory = await unit.accounts.find("acc_mallory")
        organisation = await unit.users.find("acme")
        membership = (await unit.memberships.of_organisation(organisation.id))[0]
        await unit.memberships.add(type(membership)(mallory.id, organisation.id, OrganisationRole.MEMBER, 1))
    for path in ("/members", "/members/acc_mallory"):
        text = (await acme.ask("GET", path, "owner")).text
        assert "<script>" not in text and "&lt;script&gt;" in text
