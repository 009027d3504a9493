import pytest
from support.people import ADA, BOB, EVE, FIREFOX, HOME, People, new_password

from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.account_tokens import TokenPurpose
from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session
from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import account_tokens, emails, password_resets

NEW = "ada@example.net"
CONFIRM = NoticeKind.CONFIRM_NEW_EMAIL


async def request(people: People, session: Session, email: str = NEW) -> None:
    await emails.request_change(people.storage, people.vault, session, email)


async def confirm(people: People, session: Session, token: str) -> None:
    await emails.confirm(people.storage, people.vault, session, token, address=HOME, device=FIREFOX)


async def test_address_works_until_the_new_one_is_confirmed_and_then_the_new_one_does(people: People) -> None:
    """better-auth#7196: the address was switched first, so a typing error locked the owner out."""
    account = await people.member()
    session = (await people.signed_in()).session
    await request(people, session)
    assert await people.account() == account
    await people.signed_in(ADA)
    [mail] = await people.mails(CONFIRM)
    assert mail.email == NEW and mail.link == f"/account/email?token={mail.token}"
    assert await emails.look(people.storage, session, mail.token) == NEW
    await confirm(people, session, mail.token)
    changed = await people.account(NEW)
    assert (changed.id, changed.email, changed.can_sign_in) == (account.id, NEW, True)
    await people.signed_in(NEW)
    with pytest.raises(AccountRefusedError):
        await people.sign_in(ADA)
    assert "email_changed" in await people.events(account)


async def test_change_of_the_address_is_told_to_the_old_one(people: People) -> None:
    await people.member()
    session = (await people.signed_in()).session
    await request(people, session)
    await confirm(people, session, (await people.mails(CONFIRM))[0].token)
    assert [(mail.email, mail.link) for mail in await people.mails(NoticeKind.EMAIL_CHANGED)] == [(ADA, None)]


async def test_links_for_the_old_address_end_when_the_address_changes(people: People) -> None:
    """stage-door#153: a reset link that was sent to the old address still took the account."""
    account = await people.member()
    session = (await people.signed_in()).session
    await password_resets.request(people.storage, people.vault, ADA, address=HOME, oidc=OidcSection())
    reset = (await people.mails(NoticeKind.RESET_PASSWORD))[0].token
    await request(people, session)
    await confirm(people, session, (await people.mails(CONFIRM))[0].token)
    with pytest.raises(AccountRefusedError) as refused:
        await password_resets.look(people.storage, reset)
    assert refused.value.reason is AccountRefusal.LINK_ENDED
    async with people.storage.writing() as unit:
        stale = await account_tokens.issue(unit, TokenPurpose.RESET_PASSWORD, ADA, account_id=account.id)
    with pytest.raises(AccountRefusedError):
        await password_resets.finish(
            people.storage, people.vault, people.hasher, stale, password=new_password(), address=HOME, device=FIREFOX
        )


async def test_link_for_another_address_ends_when_a_newer_one_is_asked_for(people: People) -> None:
    await people.member()
    session = (await people.signed_in()).session
    for email in ("typo@example.net", NEW):
        await request(people, session, email)
    newest, older = await people.mails(CONFIRM)
    with pytest.raises(AccountRefusedError):
        await confirm(people, session, older.token)
    await confirm(people, session, newest.token)
    assert (await people.account(NEW)).email == NEW


async def test_address_of_another_account_gets_no_link_and_its_owner_is_told(people: People) -> None:
    await people.member()
    await people.member(BOB)
    session = (await people.signed_in()).session
    await request(people, session, "BOB@example.org")
    assert await people.mails(CONFIRM) == []
    assert [mail.email for mail in await people.mails(NoticeKind.ALREADY_REGISTERED)] == [BOB]


async def test_address_that_was_taken_before_it_is_confirmed_stays_with_its_owner(people: People) -> None:
    await people.member()
    session = (await people.signed_in()).session
    await request(people, session)
    await people.member(NEW, name="Other")
    with pytest.raises(AccountRefusedError) as refused:
        await confirm(people, session, (await people.mails(CONFIRM))[0].token)
    assert refused.value.reason is AccountRefusal.EMAIL_TAKEN
    assert (await people.account(NEW)).display_name == "Other" and (await people.account(ADA)).can_sign_in


async def test_link_is_confirmed_only_by_the_person_who_asked(people: People) -> None:
    """Or a stranger asks for the address of somebody, who presses a button in an unexpected message."""
    await people.member(EVE)
    await people.member()
    eve, ada = (await people.signed_in(EVE)).session, (await people.signed_in()).session
    await request(people, eve)
    token = (await people.mails(CONFIRM))[0].token
    for step in (emails.look(people.storage, ada, token), confirm(people, ada, token)):
        with pytest.raises(AccountRefusedError):
            await step
    await confirm(people, eve, token)


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("ada@example.net,evil@example.org", AccountRefusal.EMAIL_UNUSABLE),
        ("ada@example.net\r\nBcc: evil@example.org", AccountRefusal.EMAIL_UNUSABLE),
        (ADA, AccountRefusal.EMAIL_UNCHANGED),
    ],
)
async def test_address_that_is_unusable_or_the_same_is_refused(
    people: People, email: str, reason: AccountRefusal
) -> None:
    await people.member()
    session = (await people.signed_in()).session
    with pytest.raises(AccountRefusedError) as refused:
        await request(people, session, email)
    assert refused.value.reason is reason


async def test_letters_of_the_own_address_may_change_their_case(people: People) -> None:
    await people.member()
    session = (await people.signed_in()).session
    await request(people, session, "Ada@example.org")
    await confirm(people, session, (await people.mails(CONFIRM))[0].token)
    assert (await people.account()).email == "Ada@example.org"


async def test_changes_are_slowed_down_by_account(people: People) -> None:
    await people.member()
    session = (await people.signed_in()).session
    for number in range(4):
        await request(people, session, f"a{number}@example.net")
    with pytest.raises(RefusedError):
        await request(people, session)


async def test_own_organisation_gets_the_new_address_so_that_nobody_is_paid_by_the_old_one(people: People) -> None:
    account = await people.member()
    session = (await people.signed_in()).session
    await request(people, session)
    await confirm(people, session, (await people.mails(CONFIRM))[0].token)
    unit = people.storage.reading()
    [membership] = await unit.memberships.of_account(account.id)
    assert (await users.find_payer(unit, NEW)).id == membership.user_id
    assert await unit.users.find(ADA) is None


async def test_own_organisation_keeps_its_address_if_another_user_has_the_new_one(people: People) -> None:
    other = await users.create(people.storage, name="other", email=NEW, role=UserRole.USER, postpaid=False)
    await people.member()
    session = (await people.signed_in()).session
    await request(people, session)
    await confirm(people, session, (await people.mails(CONFIRM))[0].token)
    assert await people.storage.reading().users.find(NEW) == other
    assert (await people.account(NEW)).email == NEW
