import pytest
from support.people import ADA, BOB, FIREFOX, HOME, People, new_password

from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session
from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.accounts import password_resets, passwords, sessions


async def change(people: People, session: Session, current: str, new: str) -> sessions.StartedSession:
    return await passwords.change(
        people.storage,
        people.vault,
        people.hasher,
        session,
        current=current,
        new=new,
        address=HOME,
        device=FIREFOX,
    )


async def test_changed_password_ends_the_other_sessions_and_every_link_in_the_same_transaction(
    people: People,
) -> None:
    """probo#1116: whoever had stolen a session kept it after the owner changed the password."""
    account = await people.member()
    await people.member(BOB)
    stolen, own, bob = await people.signed_in(), await people.signed_in(), await people.signed_in(BOB)
    await password_resets.request(people.storage, people.vault, ADA, address=HOME, oidc=OidcSection())
    link = (await people.mails(NoticeKind.RESET_PASSWORD))[0].token
    new = new_password()
    changed = await change(people, own.session, people.password, new)
    now_us = people.clock.us
    for token in (stolen.token, own.token):
        assert await sessions.find(people.storage, token, people.portal, now_us) is None
    assert await sessions.find(people.storage, changed.token, people.portal, now_us) == changed.session
    assert await sessions.find(people.storage, bob.token, people.portal, now_us) == bob.session
    with pytest.raises(AccountRefusedError):
        await password_resets.look(people.storage, link)
    with pytest.raises(AccountRefusedError):
        await people.sign_in()
    await people.signed_in(password=new)
    [mail] = await people.mails(NoticeKind.PASSWORD_CHANGED)
    assert (mail.email, mail.values["device"], mail.link) == (ADA, FIREFOX, None)
    assert "password_changed" in await people.events(account)


async def test_change_that_fails_in_its_transaction_leaves_password_and_sessions(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.member()
    other, own = await people.signed_in(), await people.signed_in()

    async def fails(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr(passwords, "told", fails)
    with pytest.raises(LookupError):
        await change(people, own.session, people.password, new_password())
    for token in (other.token, own.token):
        assert await sessions.find(people.storage, token, people.portal, people.clock.us) is not None
    await people.signed_in()


async def test_change_without_the_password_of_today_is_refused_and_slowed_down(people: People) -> None:
    """Whoever finds a browser that is signed in must not take the account over."""
    account = await people.member()
    own = await people.signed_in()
    for _ in range(6):
        with pytest.raises(AccountRefusedError) as refused:
            await change(people, own.session, "a guess", new_password())
        assert refused.value.reason is AccountRefusal.WRONG_PASSWORD
    with pytest.raises(RefusedError):
        await change(people, own.session, people.password, new_password())
    assert (await people.events(account))[:6] == ["sign_in_failed"] * 6
    assert await sessions.find(people.storage, own.token, people.portal, people.clock.us) is not None


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("1234567", AccountRefusal.PASSWORD_TOO_SHORT),
        ("x" * 1025, AccountRefusal.PASSWORD_TOO_LONG),
        ("iloveyou1", AccountRefusal.PASSWORD_COMMON),
        ("ADA@example.org", AccountRefusal.PASSWORD_PERSONAL),
        ("lovelace-ada", AccountRefusal.PASSWORD_PERSONAL),
    ],
)
async def test_change_to_a_bad_password_is_refused(people: People, new: str, reason: AccountRefusal) -> None:
    await people.member()
    own = await people.signed_in()
    with pytest.raises(AccountRefusedError) as refused:
        await change(people, own.session, people.password, new)
    assert refused.value.reason is reason and new not in str(refused.value)
    await people.signed_in()


async def test_change_in_a_session_that_ended_meanwhile_is_refused(people: People) -> None:
    await people.member()
    own = await people.signed_in()
    await sessions.sign_out(people.storage, own.token, address=HOME, device=FIREFOX)
    with pytest.raises(AccountRefusedError) as refused:
        await change(people, own.session, people.password, new_password())
    assert refused.value.reason is AccountRefusal.SESSION_ENDED
    await people.signed_in()


async def test_first_password_of_an_account_that_has_none_is_set_without_an_older_one(people: People) -> None:
    account = await people.member()
    own = await people.signed_in()
    async with people.storage.writing() as unit:
        await unit.accounts.set_password_hash(account.id, None)
    new = new_password()
    await change(people, own.session, "", new)
    await people.signed_in(password=new)
