from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.books import NOW_US, USD
from support.two_organisations import FOREIGN_KEY, OWN_KEY, KeyMaker, Organisations, organisations

from softix_proxy.domain.access.keys import KeyLimits, KeyStatus
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.organisations.projects import Project
from softix_proxy.domain.ports.vault import NewKey
from softix_proxy.operations.organisations import organisation_keys
from softix_proxy.operations.organisations.organisation_keys import KeyCondition, KeyForm, KeyView

FORM = KeyForm(
    label="laptop",
    models=("ll*",),
    allow_ip=("10.0.0.0/8",),
    limits=KeyLimits(rpm=5, tpm=6, concurrency=7, cap_pico=8 * USD, cap_period="week"),
    expires_at_us=NOW_US + DAY_US,
)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Organisations]:
    async with organisations(tmp_path) as made:
        yield made


def vault(house: Organisations) -> Any:
    return house.vault


class Meanwhile(KeyMaker):
    """Lets another process change the database just before the transaction that makes the key."""

    def __init__(self, house: Organisations, statement: str) -> None:
        super().__init__()
        self._house, self._statement = house, statement

    def new_api_key(self) -> NewKey:
        self._house.run(self._statement)
        return super().new_api_key()


def meanwhile(house: Organisations, statement: str) -> Any:
    return Meanwhile(house, statement)


async def test_key_is_made_as_the_form_says_and_belongs_to_its_member(house: Organisations) -> None:
    scope = await house.scope(OrganisationRole.MEMBER)
    issued = await organisation_keys.create(scope, vault(house), FORM, "form")
    key, unit = issued.key, house.storage.reading()
    assert (key.user_id, key.label, key.models, key.allow_ip, key.limits, key.expires_at_us) == (
        scope.organisation.id,
        FORM.label,
        FORM.models,
        FORM.allow_ip,
        FORM.limits,
        FORM.expires_at_us,
    )
    assert (await unit.key_owners.get(key.id)).account_id == scope.account_id
    assert issued.text == house.vault.made[-1] and issued.text not in repr(issued)


async def test_form_that_is_sent_twice_makes_one_key(house: Organisations) -> None:
    scope = await house.scope()
    issued = await organisation_keys.create(scope, vault(house), KeyForm(), "form")
    with pytest.raises(ConflictError):
        await organisation_keys.create(scope, vault(house), KeyForm(), "form")
    other = await organisation_keys.create(scope, vault(house), KeyForm(), "another")
    assert other.key.public_id != issued.key.public_id
    assert len(await organisation_keys.list_all(scope)) == 3


@pytest.mark.parametrize("form_id", ["", "x" * 65])
async def test_form_without_a_usable_id_makes_no_key(house: Organisations, form_id: str) -> None:
    with pytest.raises(BadInputError):
        await organisation_keys.create(await house.scope(), vault(house), KeyForm(), form_id)


@pytest.mark.parametrize("role", [OrganisationRole.BILLING, OrganisationRole.VIEWER])
async def test_role_without_keys_makes_changes_and_ends_none(house: Organisations, role: OrganisationRole) -> None:
    scope = await house.scope(role)
    for refused in (
        organisation_keys.create(scope, vault(house), KeyForm(), "form"),
        organisation_keys.update(scope, OWN_KEY, KeyForm()),
        organisation_keys.rotate(scope, vault(house), OWN_KEY, 0, "form"),
        organisation_keys.revoke(scope, OWN_KEY),
    ):
        with pytest.raises(NotFoundError):
            await refused
    [view] = await organisation_keys.list_all(scope)
    assert (view.condition, view.may_change) == (KeyCondition.ACTIVE, False)


async def test_foreign_key_is_neither_shown_nor_changed(house: Organisations) -> None:
    scope = await house.scope()
    for refused in (
        organisation_keys.show(scope, FOREIGN_KEY),
        organisation_keys.update(scope, FOREIGN_KEY, KeyForm()),
        organisation_keys.rotate(scope, vault(house), FOREIGN_KEY, 0, "form"),
        organisation_keys.revoke(scope, FOREIGN_KEY),
    ):
        with pytest.raises(NotFoundError):
            await refused
    assert [view.key.public_id for view in await organisation_keys.list_all(scope)] == [OWN_KEY]
    assert (await house.storage.reading().keys.get(2)).status is KeyStatus.ACTIVE


async def test_member_who_was_removed_meanwhile_gets_no_key(house: Organisations) -> None:
    scope = await house.scope(OrganisationRole.MEMBER)
    async with house.storage.writing() as unit:
        await unit.memberships.remove(scope.account_id, scope.organisation.id)
    with pytest.raises(NotFoundError):
        await organisation_keys.create(scope, vault(house), KeyForm(), "form")
    with pytest.raises(NotFoundError):
        await organisation_keys.rotate(scope, vault(house), OWN_KEY, 0, "form")
    assert (await house.storage.reading().keys.get(1)).status is KeyStatus.ACTIVE


async def test_key_changes_as_the_form_says_and_an_empty_field_removes_a_limit(house: Organisations) -> None:
    scope = await house.scope()
    changed = await organisation_keys.update(scope, OWN_KEY, FORM)
    assert (changed.label, changed.limits, changed.expires_at_us) == (FORM.label, FORM.limits, FORM.expires_at_us)
    cleared = await organisation_keys.update(scope, OWN_KEY, KeyForm())
    assert (cleared.limits, cleared.expires_at_us, cleared.models) == (KeyLimits(), None, ())


async def test_key_that_would_end_in_the_past_is_refused(house: Organisations) -> None:
    with pytest.raises(BadInputError):
        await organisation_keys.create(await house.scope(), vault(house), KeyForm(expires_at_us=NOW_US), "form")


async def test_rotated_key_inherits_its_member_and_the_form_makes_one_key(house: Organisations) -> None:
    scope = await house.scope(OrganisationRole.MEMBER)
    issued = await organisation_keys.rotate(scope, vault(house), OWN_KEY, 0, "form")
    assert (await house.storage.reading().key_owners.get(issued.key.id)).account_id == scope.account_id
    assert (await organisation_keys.show(scope, OWN_KEY)).condition is KeyCondition.REVOKED
    with pytest.raises(ConflictError):
        await organisation_keys.rotate(scope, vault(house), OWN_KEY, 0, "form")
    with pytest.raises(BadInputError):
        await organisation_keys.rotate(scope, vault(house), issued.key.public_id, 31 * DAY_US, "another")


async def test_revoked_key_is_revoked_again_without_a_change_and_not_changed(house: Organisations) -> None:
    scope = await house.scope()
    revoked = await organisation_keys.revoke(scope, OWN_KEY)
    assert revoked.status is KeyStatus.REVOKED
    assert await organisation_keys.revoke(scope, OWN_KEY) == revoked
    with pytest.raises(ConflictError):
        await organisation_keys.update(scope, OWN_KEY, KeyForm())


async def test_organisation_has_a_bounded_number_of_working_keys(
    house: Organisations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organisation_keys, "MOST_ACTIVE", 1)
    with pytest.raises(ConflictError):
        await organisation_keys.create(await house.scope(), vault(house), KeyForm(), "form")


async def test_organisation_that_gets_its_last_key_meanwhile_gets_no_further_one(
    house: Organisations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organisation_keys, "MOST_ACTIVE", 1)
    house.run("UPDATE keys SET status = 'revoked'")
    scope, maker = await house.scope(), meanwhile(house, "UPDATE keys SET status = 'active'")
    with pytest.raises(ConflictError, match="keys that work"):
        await organisation_keys.create(scope, maker, KeyForm(), "form")
    assert len(await organisation_keys.list_all(scope)) == 1


async def test_keys_are_listed_with_those_that_work_first(house: Organisations) -> None:
    scope = await house.scope()
    for form_id in ("a", "b", "c"):
        await organisation_keys.create(scope, vault(house), KeyForm(label=form_id), form_id)
    house.run("UPDATE keys SET expires_at_us = 5 WHERE label = 'c'")
    house.run("UPDATE keys SET status = 'revoked' WHERE label = 'b'")
    listed = [(view.key.label, view.condition) for view in await organisation_keys.list_all(scope)]
    assert listed == [
        ("a", KeyCondition.ACTIVE),
        ("ci", KeyCondition.ACTIVE),
        ("c", KeyCondition.EXPIRED),
        ("b", KeyCondition.REVOKED),
    ]


@pytest.mark.parametrize(("cap", "percent"), [(None, None), (0, 100), (USD // 100, 100), (USD // 10, 10), (USD, 1)])
async def test_part_of_a_cap_that_is_spent_is_rounded_down(
    house: Organisations, cap: int | None, percent: int | None
) -> None:
    house.run("UPDATE keys SET cap_pico = ?, cap_period = 'total' WHERE id = 1", cap)
    view: KeyView = await organisation_keys.show(await house.scope(), OWN_KEY)
    assert view.cap_percent == percent


async def projects(house: Organisations) -> None:
    async with house.storage.writing() as unit:
        for user_id, name in ((1, "web"), (2, "theirs")):
            await unit.projects.add(Project(0, f"prj_{name}", user_id, name, 1))


async def test_key_is_made_for_a_project_by_those_who_manage_keys(house: Organisations) -> None:
    await projects(house)
    scope, form = await house.scope(OrganisationRole.ADMIN), KeyForm(project="prj_web")
    assert [project.name for project in await organisation_keys.open_projects(scope)] == ["web"]
    issued = await organisation_keys.create(scope, vault(house), form, "form")
    view = await organisation_keys.show(scope, issued.key.public_id)
    assert view.project is not None and view.project.name == "web"
    assert view.account is not None and view.account.id == scope.account_id
    [listed] = [each for each in await organisation_keys.list_all(scope) if each.key.id == issued.key.id]
    assert listed.project == view.project


async def test_member_and_stranger_make_no_key_for_a_project(house: Organisations) -> None:
    await projects(house)
    member = await house.scope(OrganisationRole.MEMBER)
    assert await organisation_keys.open_projects(member) == ()
    for scope, project in ((member, "prj_web"), (await house.scope(), "prj_theirs"), (await house.scope(), "web")):
        with pytest.raises(NotFoundError):
            await organisation_keys.create(scope, vault(house), KeyForm(project=project), "form")


async def test_archived_project_gets_no_key(house: Organisations) -> None:
    await projects(house)
    house.run("UPDATE projects SET archived_at_us = 5")
    scope = await house.scope()
    assert await organisation_keys.open_projects(scope) == []
    with pytest.raises(ConflictError):
        await organisation_keys.create(scope, vault(house), KeyForm(project="prj_web"), "form")


async def test_project_that_is_archived_meanwhile_gets_no_key(house: Organisations) -> None:
    await projects(house)
    scope, maker = await house.scope(), meanwhile(house, "UPDATE projects SET archived_at_us = 5")
    with pytest.raises(ConflictError, match="archived"):
        await organisation_keys.create(scope, maker, KeyForm(project="prj_web"), "form")
    assert len(await organisation_keys.list_all(scope)) == 1


async def test_key_is_shown_as_changeable_to_those_alone_who_may_change_it(house: Organisations) -> None:
    view = await organisation_keys.show_changeable(await house.scope(OrganisationRole.MEMBER), OWN_KEY)
    assert view.may_change
    with pytest.raises(NotFoundError):
        await organisation_keys.show_changeable(await house.scope(OrganisationRole.VIEWER), OWN_KEY)
