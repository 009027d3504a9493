import pytest
from support.people import ADA, BOB, FIREFOX, HOME, People, new_password
from support.principals import ALL

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import accounts, password_resets, sessions
from softix_proxy.operations.accounts.accounts import AccountLink


async def create(people: People, email: str = ADA, **more: object) -> AccountLink:
    return await accounts.create(people.storage, people.vault, email=email, by=ALL, **more)  # type: ignore[arg-type]


async def finish(people: People, made: AccountLink) -> None:
    token = made.path.partition("token=")[2]
    await password_resets.finish(
        people.storage, people.vault, people.hasher, token, password=people.password, address=HOME, device=FIREFOX
    )


async def test_created_account_waits_for_its_first_password_and_keeps_its_role(people: People) -> None:
    made = await create(people, role=UserRole.ADMIN)
    assert (made.account.role, made.account.display_name, made.account.can_sign_in) == (UserRole.ADMIN, "ada", False)
    assert made.path.startswith("/reset?token=") and made.path not in repr(made)
    await finish(people, made)
    done = await people.signed_in()
    assert done.account.role == UserRole.ADMIN
    assert await people.storage.reading().users.list() == []


async def test_created_account_belongs_to_the_existing_user_that_is_named(people: People) -> None:
    """A user of an earlier version is an organisation of one, and gets its first person so."""
    old = await users.create(people.storage, name="ada", email=ADA, role=UserRole.USER, postpaid=False)
    revision = await people.revision()
    made = await create(people, organisation="ada", display_name="O’Brien")
    await finish(people, made)
    standing = await accounts.show(people.storage, ADA)
    assert standing.organisations == ((old.public_id, OrganisationRole.OWNER),)
    assert standing.account.display_name == "O’Brien"
    assert await people.storage.reading().users.list() == [old] and await people.revision() == revision
    await create(people, BOB, organisation=old.public_id, organisation_role=OrganisationRole.VIEWER)
    assert accounts.as_fields(await accounts.show(people.storage, BOB))["organisations"] == [
        {"id": old.public_id, "role": "viewer"}
    ]


async def test_account_with_a_bad_or_taken_address_or_an_unknown_user_is_not_created(people: People) -> None:
    await create(people)
    with pytest.raises(ConflictError) as refused:
        await create(people, "ADA@example.org")
    assert "softix accounts reset-link ADA@example.org" in refused.value.remedy
    with pytest.raises(BadInputError):
        await create(people, "ada@example.org,evil")
    with pytest.raises(NotFoundError):
        await create(people, BOB, organisation="nobody")
    assert len(await accounts.list_all(people.storage)) == 1


async def test_account_that_is_disabled_loses_its_sessions_and_links_at_once(people: People) -> None:
    account = await people.member()
    done = await people.signed_in()
    made = await accounts.reset_link(people.storage, people.vault, ADA)
    standing = await accounts.disable(people.storage, account.public_id, ALL)
    assert accounts.as_fields(standing)["status"] == "disabled"
    assert await sessions.find(people.storage, done.token, people.portal, people.clock.us) is None
    with pytest.raises(ConflictError) as refused:
        await accounts.reset_link(people.storage, people.vault, ADA)
    assert refused.value.remedy == f"run: softix accounts enable {account.public_id}"
    assert (await accounts.enable(people.storage, ADA, ALL)).account.can_sign_in
    with pytest.raises(BadInputError):
        await finish(people, made)
    await people.signed_in()


async def test_last_admin_who_can_sign_in_keeps_role_and_status(people: People) -> None:
    """Bob is an admin who has no password yet, so he could not let anybody in."""
    account = await people.member()
    await accounts.set_role(people.storage, ADA, UserRole.ADMIN, ALL)
    made = await create(people, BOB, role=UserRole.ADMIN)
    for taking in (
        accounts.set_role(people.storage, ADA, UserRole.SUPPORT, ALL),
        accounts.disable(people.storage, account.public_id, ALL),
    ):
        with pytest.raises(ConflictError) as refused:
            await taking
        assert refused.value.message == "this is the last admin who can sign in"
        assert "softix accounts set-role ACCOUNT admin" in refused.value.remedy
    assert (await accounts.set_role(people.storage, ADA, UserRole.ADMIN, ALL)).account.can_sign_in
    await finish(people, made)
    assert (await accounts.set_role(people.storage, ADA, UserRole.SUPPORT, ALL)).account.role == UserRole.SUPPORT
    with pytest.raises(ConflictError):
        await accounts.disable(people.storage, BOB, ALL)
    await accounts.set_role(people.storage, ADA, UserRole.ADMIN, ALL)
    assert not (await accounts.disable(people.storage, BOB, ALL)).account.is_active
    with pytest.raises(ConflictError):
        await accounts.disable(people.storage, ADA, ALL)


async def test_admin_who_never_signed_in_can_be_taken_back(people: People) -> None:
    await create(people, BOB, role=UserRole.ADMIN)
    assert (await accounts.set_role(people.storage, BOB, UserRole.USER, ALL)).account.role == UserRole.USER
    await accounts.set_role(people.storage, BOB, UserRole.ADMIN, ALL)
    assert not (await accounts.disable(people.storage, BOB, ALL)).account.is_active


async def test_role_of_an_account_is_set_and_noted_once(people: People) -> None:
    account = await people.member()
    for _ in range(2):
        assert (await accounts.set_role(people.storage, ADA, UserRole.SUPPORT, ALL)).account.role == UserRole.SUPPORT
    assert (await people.events(account)).count("role_changed") == 1


async def test_sign_out_by_an_operator_ends_every_session(people: People) -> None:
    await people.member()
    done = [await people.signed_in() for _ in range(2)]
    assert await accounts.sign_out(people.storage, ADA) == 2
    assert await accounts.sign_out(people.storage, ADA) == 0
    for one in done:
        assert await sessions.find(people.storage, one.token, people.portal, people.clock.us) is None


async def test_sign_out_of_everybody_ends_every_session_of_every_account(people: People) -> None:
    await people.member()
    await people.member(BOB)
    done = [await people.signed_in(email) for email in (ADA, BOB, BOB)]
    assert await accounts.sign_out_everybody(people.storage) == 3
    for one in done:
        assert await sessions.find(people.storage, one.token, people.portal, people.clock.us) is None


async def test_reset_link_of_an_operator_works_once_and_the_password_of_today_until_then(people: People) -> None:
    await people.member()
    older = await accounts.reset_link(people.storage, people.vault, ADA, is_mailed=False)
    newer = await accounts.reset_link(people.storage, people.vault, ADA)
    assert len(await people.mails(NoticeKind.RESET_PASSWORD)) == 1
    assert await people.mails(NoticeKind.FIRST_SIGN_IN) == [], "the account is not new"
    await people.signed_in()
    with pytest.raises(BadInputError):
        await finish(people, older)
    people.password = new_password()
    await finish(people, newer)
    await people.signed_in()


async def test_account_that_is_unknown_is_not_found_and_names_are_no_reference(people: People) -> None:
    await people.member()
    for reference in ("Ada Lovelace", BOB, "acc_unknown"):
        with pytest.raises(NotFoundError) as refused:
            await accounts.show(people.storage, reference)
        assert "softix accounts list" in refused.value.remedy


async def test_person_who_registered_is_connected_with_an_existing_user_by_an_operator_alone(people: People) -> None:
    old = await users.create(people.storage, name="ada", email=ADA, role=UserRole.USER, postpaid=False)
    account = await people.member()
    assert await accounts.unconnected(people.storage) == [(account, old)]
    revision = await people.revision()
    standing = await accounts.connect(people.storage, ADA, "ada", OrganisationRole.BILLING)
    assert standing.organisations == ((old.public_id, OrganisationRole.BILLING),)
    assert await accounts.unconnected(people.storage) == [] and await people.revision() == revision
    assert (await people.events(account))[0] == "member_added"
    with pytest.raises(ConflictError):
        await accounts.connect(people.storage, ADA, old.public_id)
    for reference, organisation in ((BOB, "ada"), (ADA, "nobody")):
        with pytest.raises(NotFoundError):
            await accounts.connect(people.storage, reference, organisation)
