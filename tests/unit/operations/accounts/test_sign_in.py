from dataclasses import replace

import pytest
from support.people import ADA, BOB, EVE, FIREFOX, HOME, OFFICE, SAFARI, FakeHasher, People

from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import SignInMethod
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import Code, OverloadedError, RefusedError
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.accounts import accounts, factors, passwords, sessions, sign_in
from softix_proxy.operations.accounts.sign_in import SecondFactorNeeded

WRONG = "not the password"


@pytest.fixture
def two_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    async def required(unit: object, account_id: int) -> bool:
        return True

    monkeypatch.setattr(factors, "required", required)


async def refused(people: People, email: str = ADA, password: str = WRONG, **more: str) -> AccountRefusal | Code:
    with pytest.raises((AccountRefusedError, RefusedError)) as error:
        await people.sign_in(email, password, **more)
    return error.value.reason if isinstance(error.value, AccountRefusedError) else error.value.code


async def test_sign_in_with_the_password_starts_a_session_and_touches_no_user(people: People) -> None:
    account = await people.member()
    revision = await people.revision()
    done = await people.signed_in("ADA@example.org")
    assert done.account == account and done.session.account_id == account.id
    assert (done.session.method, done.session.second_factor, done.session.is_pending) == (
        SignInMethod.PASSWORD,
        False,
        False,
    )
    found = await sessions.find(people.storage, done.token, people.portal, people.clock.us)
    assert found == done.session and done.session.device == FIREFOX
    assert (await people.events(account))[0] == "signed_in"
    assert await people.revision() == revision
    assert done.token not in repr(done)


async def test_sign_in_tells_nobody_by_its_text_or_its_work_who_has_an_account(people: People) -> None:
    """gitverse#1288, ASVS 5 6.3.8: an unknown address was answered sooner, or with another text."""
    await people.member()
    await people.register(BOB)
    await accounts.create(people.storage, people.vault, email=EVE)
    told = {}
    for email in (ADA, BOB, EVE, "nobody@example.org", "no address"):
        with people.counted() as work, pytest.raises(AccountRefusedError) as error:
            await people.sign_in(email, WRONG)
        told[email] = (error.value.reason, error.value.message, tuple(work))
    assert set(told.values()) == {
        (AccountRefusal.WRONG_PASSWORD, "the e-mail or the password is wrong", ("transaction", "verify", "transaction"))
    }
    assert await people.mails(NoticeKind.RESET_PASSWORD) == []


async def test_sign_in_of_a_disabled_or_unverified_account_is_told_only_to_who_knows_the_password(
    people: People,
) -> None:
    await people.register(BOB)
    assert await refused(people, BOB) is AccountRefusal.WRONG_PASSWORD
    mails = len(await people.mails(NoticeKind.VERIFY_EMAIL, BOB))
    assert await refused(people, BOB, people.password) is AccountRefusal.NOT_VERIFIED
    assert len(await people.mails(NoticeKind.VERIFY_EMAIL, BOB)) == mails + 1
    await people.member()
    await accounts.disable(people.storage, ADA)
    assert await refused(people) is AccountRefusal.WRONG_PASSWORD
    assert await refused(people, ADA, people.password) is AccountRefusal.DISABLED


async def test_sign_in_gives_a_new_session_and_ends_the_one_that_the_browser_had(people: People) -> None:
    """Session fixation: a token that somebody planted before must be worth nothing after."""
    await people.member()
    planted = await people.signed_in()
    done = await people.signed_in(replaces=planted.token)
    assert done.token != planted.token and done.session.public_id != planted.session.public_id
    assert await sessions.find(people.storage, planted.token, people.portal, people.clock.us) is None
    await people.signed_in(replaces="x" * 43)


async def test_second_factor_gives_the_session_a_new_token(people: People, two_factors: None) -> None:
    account = await people.member()
    waiting = await people.sign_in()
    assert isinstance(waiting, SecondFactorNeeded) and waiting.session.is_pending
    assert "signed_in" not in await people.events(account)
    assert await sessions.list_all(people.storage, account.id) == []
    async with people.storage.writing() as unit:
        done = await sign_in.complete(
            unit, people.vault, waiting.session, address=HOME, device=FIREFOX, portal=people.portal
        )
    assert done.session.second_factor and not done.session.is_pending and done.token != waiting.token
    assert await sessions.find(people.storage, waiting.token, people.portal, people.clock.us) is None
    assert await sessions.find(people.storage, done.token, people.portal, people.clock.us) == done.session
    assert (await people.events(account))[0] == "signed_in"


async def test_session_that_waits_for_its_second_factor_ends_soon(people: People, two_factors: None) -> None:
    await people.member()
    waiting = await people.sign_in()
    people.clock.us += sessions.PENDING_US
    assert await sessions.find(people.storage, waiting.token, people.portal, people.clock.us) is None


async def test_method_that_is_enough_needs_no_second_factor(people: People, two_factors: None) -> None:
    account = await people.member()
    async with people.storage.writing() as unit:
        done = await sign_in.enter(
            unit,
            people.vault,
            account,
            method=SignInMethod.PASSKEY,
            address=HOME,
            device=FIREFOX,
            portal=people.portal,
            is_enough=True,
        )
    assert done.session.second_factor and not done.session.is_pending
    await accounts.disable(people.storage, ADA)
    async with people.storage.writing() as unit:
        with pytest.raises(AccountRefusedError):
            await sign_in.enter(
                unit,
                people.vault,
                await people.account(),
                method=SignInMethod.OIDC,
                address=HOME,
                device=FIREFOX,
                portal=people.portal,
            )


async def test_guesses_from_one_network_are_slowed_down_and_the_owner_signs_in_from_another(people: People) -> None:
    """Locking the account out would be a weapon against its owner."""
    await people.member()
    for _ in range(6):
        assert await refused(people, address=OFFICE) is AccountRefusal.WRONG_PASSWORD
    for _ in range(50):
        assert await refused(people, address=OFFICE) is Code.RATE_LIMITED
    assert await refused(people, ADA, people.password, address=OFFICE) is Code.RATE_LIMITED
    await people.signed_in(address=HOME)


async def test_guesser_who_waits_may_try_again_and_no_attempt_while_waiting_counts(people: People) -> None:
    await people.member()
    for _ in range(6):
        await refused(people)
    for _ in range(20):
        with pytest.raises(RefusedError) as error:
            await people.sign_in()
        assert error.value.retry_after_s == 300
    people.clock.us += 300 * SECOND_US
    await people.signed_in()


async def test_account_that_is_guessed_from_many_networks_stays_open_to_its_owner(people: People) -> None:
    await people.member()
    for number in range(60):
        assert await refused(people, address=f"203.0.113.{number}") is AccountRefusal.WRONG_PASSWORD
    tries = [await refused(people, address="203.0.113.99") for _ in range(3)]
    assert tries == [AccountRefusal.WRONG_PASSWORD] * 2 + [Code.RATE_LIMITED], "two for each network, and not six"
    assert await refused(people, address=HOME) is AccountRefusal.WRONG_PASSWORD
    await people.signed_in(address=HOME)


async def test_guesses_of_many_accounts_from_one_network_are_slowed_down(people: People) -> None:
    await people.member()
    for number in range(30):
        await refused(people, f"p{number}@example.org", address=OFFICE)
    assert await refused(people, ADA, people.password, address=OFFICE) is Code.RATE_LIMITED
    await people.signed_in()


async def test_network_of_ipv6_is_counted_as_one_site(people: People) -> None:
    await people.member()
    for number in range(6):
        await refused(people, address=f"2001:db8:1:1::{number}")
    assert await refused(people, address="2001:db8:1:1::ffff") is Code.RATE_LIMITED
    assert await refused(people, address="2001:db8:1:2::1") is AccountRefusal.WRONG_PASSWORD


async def test_people_who_know_their_passwords_never_wait(people: People) -> None:
    """All of an office come from one address."""
    await people.member()
    for _ in range(70):
        await people.signed_in()


async def test_right_password_forgets_the_mistakes_before_it(people: People) -> None:
    await people.member()
    for _ in range(3):
        for _ in range(5):
            assert await refused(people) is AccountRefusal.WRONG_PASSWORD
        await people.signed_in()


async def test_attempts_leave_no_address_in_the_counts(people: People) -> None:
    await people.member()
    await refused(people)
    rows = await people.storage.reading()._session.all("SELECT subject FROM throttles")
    assert rows and not any("ada" in subject or HOME in subject for (subject,) in rows)


async def test_sign_in_that_finds_the_queue_full_is_refused_and_not_counted(people: People) -> None:
    await people.member()
    people.hasher.is_full = True
    for _ in range(30):
        with pytest.raises(OverloadedError):
            await people.sign_in()
    people.hasher.is_full = False
    await people.signed_in()


async def test_sign_in_with_a_hash_of_older_parameters_makes_it_anew(people: People) -> None:
    people.hasher.parameters = "old"
    account = await people.member()
    people.hasher.parameters = "new"
    people.hasher.work.clear()
    await people.signed_in()
    assert people.hasher.work == ["verify", "hash"]
    assert await people.storage.reading().accounts.password_hash(account.id) == f"new:{people.password}"
    await people.signed_in()
    assert people.hasher.work == ["verify", "hash", "verify"]


async def test_password_that_is_changed_while_it_is_compared_opens_nothing(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await people.member()
    verify = FakeHasher.verify

    async def slow(self: FakeHasher, password_hash: str | None, text: str) -> bool:
        async with people.storage.writing() as unit:
            await passwords.replace_hash(unit, account.id, "new:another")
        return await verify(self, password_hash, text)

    monkeypatch.setattr(FakeHasher, "verify", slow)
    assert await refused(people, ADA, people.password) is AccountRefusal.WRONG_PASSWORD


async def test_unusual_passwords_are_compared_and_never_accepted(people: People) -> None:
    await people.member()
    for password in ("\ud800", "x" * 2000, "\0"):
        people.hasher.work.clear()
        assert await refused(people, password=password, address=OFFICE) is AccountRefusal.WRONG_PASSWORD
        assert people.hasher.work == ["verify"]


async def test_password_typed_as_letters_and_accents_is_the_same_as_composed(people: People) -> None:
    """One keyboard sends é as one letter, and another one as two (RFC 8265, 4.2.2)."""
    await people.member(password="Blåbær-fromage é!")
    await people.signed_in(password="Blåbær-fromage e\u0301!")


async def test_sign_in_from_a_new_kind_of_device_is_told_by_mail_and_the_first_one_is_not(people: People) -> None:
    await people.member()
    await people.signed_in()
    await people.signed_in(address=OFFICE)
    assert await people.mails(NoticeKind.NEW_SIGN_IN) == []
    for _ in range(2):
        await people.signed_in(device=SAFARI, address=OFFICE)
    [mail] = await people.mails(NoticeKind.NEW_SIGN_IN)
    assert mail.email == ADA and mail.link is None
    assert mail.values == {"when": "2027-01-15 08:00 UTC", "device": SAFARI, "address": OFFICE}


async def test_failed_sign_in_is_an_event_of_the_account_or_of_nobody(people: People) -> None:
    account = await people.member()
    await refused(people)
    await refused(people, EVE)
    newest, before, *_ = await people.storage.reading().security_events.list(None, 9)
    assert (newest.kind, newest.account_id, newest.address) == ("sign_in_failed", None, HOME)
    assert (before.kind, before.account_id, before.device) == ("sign_in_failed", account.id, FIREFOX)


async def test_password_that_is_proved_again_gives_the_session_a_new_token(people: People) -> None:
    await people.member()
    done = await people.signed_in()
    people.clock.us += 3600 * SECOND_US
    proved = await sign_in.confirm_password(
        people.storage,
        people.vault,
        people.hasher,
        done.session,
        password=people.password,
        address=HOME,
        device=FIREFOX,
    )
    assert proved.session.reauthenticated_at_us == people.clock.us and proved.token != done.token
    assert proved.session.ends_at_us == done.session.ends_at_us
    assert await sessions.find(people.storage, done.token, people.portal, people.clock.us) is None
    assert await sessions.find(people.storage, proved.token, people.portal, people.clock.us) is not None


async def test_password_that_is_wrong_or_of_an_ended_session_proves_nothing(people: People) -> None:
    await people.member()
    done = await people.signed_in()
    for session, password, reason in (
        (done.session, WRONG, AccountRefusal.WRONG_PASSWORD),
        (replace(done.session, digest=b"ended"), people.password, AccountRefusal.SESSION_ENDED),
    ):
        with pytest.raises(AccountRefusedError) as error:
            await sign_in.confirm_password(
                people.storage,
                people.vault,
                people.hasher,
                session,
                password=password,
                address=HOME,
                device=FIREFOX,
            )
        assert error.value.reason is reason
    assert (await people.events())[:2] == ["sign_in_failed", "signed_in"]
