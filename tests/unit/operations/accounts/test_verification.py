import pytest
from support.people import ADA, BOB, EVE, FIREFOX, HOME, People, new_password
from support.principals import ALL

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import accounts, verification

VERIFY = NoticeKind.VERIFY_EMAIL


async def verify(people: People, token: str, password: str | None = None) -> None:
    """Presses the button. Without a password it is the one of the registration."""
    given = people.password if password is None else password
    await verification.verify(people.storage, people.hasher, token, password=given, address=HOME, device=FIREFOX)


async def test_verified_person_gets_an_organisation_of_one_with_a_handle_like_the_name(people: People) -> None:
    account = await people.member()
    assert account.verified_at_us == people.clock.us and account.can_sign_in
    [membership] = await people.storage.reading().memberships.of_account(account.id)
    [organisation] = await people.storage.reading().users.list()
    assert (membership.user_id, membership.role) == (organisation.id, OrganisationRole.OWNER)
    assert (organisation.name, organisation.email, organisation.role) == ("ada-lovelace", ADA, UserRole.USER)
    assert await people.storage.reading().users.display_names() == {organisation.id: "Ada Lovelace"}
    assert (await people.storage.reading().balance.get(organisation.id)).posted_pico == 0
    assert (await people.events(account))[0] == "email_verified"


async def test_people_of_one_name_get_handles_of_their_own(people: People) -> None:
    for email in (ADA, BOB, EVE):
        await people.member(email)
    names = [user.name for user in await people.storage.reading().users.list()]
    assert names[0] == "ada-lovelace" and len({*names}) == 3
    assert all(name.startswith("ada-lovelace-") for name in names[1:])


async def test_link_that_is_followed_stays_usable_until_its_button_is_pressed(people: People) -> None:
    """emdash#3298: a program that looks at mail followed the link, and spent it."""
    await people.register()
    token = (await people.mails(VERIFY))[0].token
    for _ in range(3):
        assert (await verification.look(people.storage, token)).email == ADA
    await verify(people, token)
    for _ in range(2):
        with pytest.raises(AccountRefusedError) as refused:
            await verify(people, token)
        assert refused.value.reason is AccountRefusal.LINK_ENDED
    assert len(await people.storage.reading().users.list()) == 1


async def test_link_that_is_too_old_or_unknown_verifies_nothing(people: People) -> None:
    await people.register()
    token = (await people.mails(VERIFY))[0].token
    people.clock.us += DAY_US
    for given in (token, "", "x" * 43, "\ud800"):
        with pytest.raises(AccountRefusedError) as refused:
            await verify(people, given)
        assert refused.value.reason is AccountRefusal.LINK_ENDED
    assert (await people.account()).verified_at_us is None


async def test_link_of_a_disabled_account_verifies_nothing(people: People) -> None:
    await people.register()
    token = (await people.mails(VERIFY))[0].token
    await accounts.disable(people.storage, ADA)
    await accounts.enable(people.storage, ADA)
    with pytest.raises(AccountRefusedError):
        await verify(people, token)


async def test_resent_link_is_in_the_message_alone_and_ends_the_older_one(people: People) -> None:
    """DiffAudit#40: the token was in the answer to "send it again"."""
    await people.register()
    older = (await people.mails(VERIFY))[0].token
    answers = [await verification.resend(people.storage, people.vault, email, address=HOME) for email in (ADA, EVE)]
    assert answers == [None, None]
    newest = (await people.mails(VERIFY))[0].token
    with pytest.raises(AccountRefusedError):
        await verify(people, older)
    await verify(people, newest)
    assert {mail.email for mail in await people.mails()} == {ADA}


async def test_resending_sends_nothing_to_a_verified_address_and_few_messages_to_any(people: People) -> None:
    await people.register()
    for _ in range(9):
        await verification.resend(people.storage, people.vault, ADA, address=HOME)
    assert len(await people.mails()) == 3
    with pytest.raises(RefusedError):
        for _ in range(9):
            await verification.resend(people.storage, people.vault, ADA, address=HOME)
    await verify(people, (await people.mails(VERIFY))[0].token)
    await verification.resend(people.storage, people.vault, ADA, address="203.0.113.1")
    assert len(await people.mails()) == 3


async def test_password_of_whoever_registered_opens_nothing_once_the_reader_of_the_mail_chose_another(
    people: People,
) -> None:
    """Pre-hijacking (Sudhodanan and Paverd, 2022): a stranger registers, and waits for the owner to press a button."""
    strangers = new_password()
    await people.register(password=strangers)
    await verify(people, (await people.mails(VERIFY))[0].token)
    with pytest.raises(AccountRefusedError) as refused:
        await people.sign_in(password=strangers)
    assert refused.value.reason is AccountRefusal.WRONG_PASSWORD
    await people.signed_in()


async def test_nobody_signs_in_and_adds_a_factor_before_the_address_is_verified(people: People) -> None:
    await people.register()
    with pytest.raises(AccountRefusedError) as refused:
        await people.sign_in()
    assert refused.value.reason is AccountRefusal.NOT_VERIFIED
    account = await people.account()
    assert await people.storage.reading().sessions.list(account.id, people.clock.us) == []


@pytest.mark.parametrize("registrations", [1, 2])
async def test_verification_needs_a_password_that_is_good(people: People, registrations: int) -> None:
    for _ in range(registrations):
        await people.register(password=new_password())
    token = (await people.mails(VERIFY))[0].token
    for given, reason in (
        ("", AccountRefusal.PASSWORD_NEEDED),
        ("short", AccountRefusal.PASSWORD_TOO_SHORT),
        ("Ada Lovelace", AccountRefusal.PASSWORD_PERSONAL),
    ):
        with pytest.raises(AccountRefusedError) as refused:
            await verify(people, token, given)
        assert refused.value.reason is reason
    await verify(people, token, people.password)
    await people.signed_in()


async def test_verified_person_whose_address_an_existing_user_has_is_not_connected_with_its_money(
    people: People,
) -> None:
    """Nobody verified the address that an operator typed for the user, so nobody gets its wallet by it."""
    old = await users.create(people.storage, name="ada", email=ADA, role=UserRole.USER, postpaid=False)
    account = await people.member()
    assert await people.storage.reading().memberships.of_account(account.id) == []
    assert await people.storage.reading().users.list() == [old]
    await people.signed_in()


async def test_operators_account_gets_no_organisation(people: People) -> None:
    made = await accounts.create(people.storage, people.vault, email=ADA, role=UserRole.SUPPORT, by=ALL)
    async with people.storage.writing() as unit:
        account = await verification.welcome(unit, made.account)
    assert account.can_sign_in and await people.storage.reading().users.list() == []
