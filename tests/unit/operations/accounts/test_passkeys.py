import json
from dataclasses import dataclass, replace

import pytest
from support.authenticator import Authenticator
from support.people import ADA, BOB, FIREFOX, HOME, People

from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import FailureError, RefusedError
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.accounts import factors, passkeys
from softix_proxy.operations.accounts.factors import Enrolled, Origin

URL = parse_public_url("https://portal.example.org")
PARTY = passkeys.relying_party(URL)
FROM = Origin(HOME, FIREFOX)


@dataclass
class Owner:
    account: Account
    session: Session
    device: Authenticator
    done: Enrolled | None = None


async def owner(people: People, email: str = ADA) -> Owner:
    account = await people.member(email)
    session = (await people.signed_in(email)).session
    return Owner(account, session, Authenticator(URL.origin))


async def enrol(people: People, who: Owner, *, label: str = "Phone") -> Enrolled:
    prompt = await passkeys.begin_enrolment(people.storage, people.vault, PARTY, who.session, who.account)
    done = await passkeys.finish_enrolment(
        people.storage,
        people.vault,
        PARTY,
        who.session,
        who.account,
        FROM,
        reference=prompt.reference,
        answer=who.device.create(prompt.options),
        label=label,
    )
    who.done, who.session = done, done.started.session
    return done


async def sign_in(people: People, device: Authenticator) -> str:
    """By any passkey of the site. Returns the public id of the one that was taken."""
    prompt = await passkeys.begin_sign_in(people.storage, people.vault, PARTY, HOME)
    answer = device.get(prompt.options)
    passkey, count = await passkeys.proved_for_sign_in(
        people.storage, people.vault, PARTY, reference=prompt.reference, answer=answer
    )
    async with people.storage.writing() as unit:
        await passkeys.use(unit, passkey, count)
    return passkey.public_id


def reason(error: pytest.ExceptionInfo[AccountRefusedError]) -> AccountRefusal:
    return error.value.reason


def test_site_is_known_from_the_public_url_alone() -> None:
    assert (PARTY.id, PARTY.origin) == ("portal.example.org", "https://portal.example.org")
    local = passkeys.relying_party(parse_public_url("http://localhost:8485"))
    assert (local.id, local.origin) == ("localhost", "http://localhost:8485")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8485", "http://[::1]:8485", "https://192.0.2.7"])
def test_site_without_a_host_name_has_no_passkeys(url: str) -> None:
    with pytest.raises(FailureError) as failed:
        passkeys.relying_party(parse_public_url(url))
    assert failed.value.remedy


async def test_enrolled_passkey_signs_in_and_is_a_second_factor(people: People) -> None:
    ada = await owner(people)
    done = await enrol(people, ada, label="  My   phone ")
    [kept] = (await factors.show(people.storage.reading(), ada.account.id)).passkeys
    assert (kept.label, kept.account_id) == ("My phone", ada.account.id)
    assert len(done.recovery_codes) == 10 and done.started.session.second_factor
    assert await factors.required(people.storage.reading(), ada.account.id)
    assert (await people.events(ada.account))[0] == "factor_added"
    assert [mail.values["factor"] for mail in await people.mails(NoticeKind.FACTOR_CHANGED)] == ["passkey"]
    assert await sign_in(people, ada.device) == kept.public_id
    assert await sign_in(people, ada.device) == kept.public_id


async def test_answer_is_worth_nothing_a_second_time(people: People) -> None:
    ada = await owner(people)
    await enrol(people, ada)
    prompt = await passkeys.begin_sign_in(people.storage, people.vault, PARTY, HOME)
    given = {"reference": prompt.reference, "answer": ada.device.get(prompt.options)}
    await passkeys.proved_for_sign_in(people.storage, people.vault, PARTY, **given)
    with pytest.raises(AccountRefusedError) as refused:
        await passkeys.proved_for_sign_in(people.storage, people.vault, PARTY, **given)
    assert reason(refused) is AccountRefusal.CEREMONY_ENDED


async def test_challenge_ends_even_if_its_answer_is_wrong(people: People) -> None:
    ada = await owner(people)
    await enrol(people, ada)
    prompt = await passkeys.begin_sign_in(people.storage, people.vault, PARTY, HOME)
    for answer in ("{}", ada.device.get(prompt.options)):
        with pytest.raises(AccountRefusedError) as refused:
            await passkeys.proved_for_sign_in(
                people.storage, people.vault, PARTY, reference=prompt.reference, answer=answer
            )
    assert reason(refused) is AccountRefusal.CEREMONY_ENDED


async def test_copied_passkey_whose_count_falls_behind_is_refused(people: People) -> None:
    ada = await owner(people)
    await enrol(people, ada)
    copy = replace(ada.device)
    await sign_in(people, ada.device)
    with pytest.raises(AccountRefusedError) as refused:
        await sign_in(people, copy)
    assert reason(refused) is AccountRefusal.PASSKEY_REFUSED


async def test_passkey_with_the_handle_of_another_account_or_none_is_refused(people: People) -> None:
    ada, bob = await owner(people), await owner(people, BOB)
    await enrol(people, ada)
    await enrol(people, bob)
    for handle in (bob.device.handle, b""):
        with pytest.raises(AccountRefusedError) as refused:
            await sign_in(people, replace(ada.device, handle=handle, count=9))
        assert reason(refused) is AccountRefusal.PASSKEY_REFUSED


async def test_passkey_that_nobody_enrolled_is_refused(people: People) -> None:
    with pytest.raises(AccountRefusedError) as refused:
        await sign_in(people, Authenticator(URL.origin, handle=b"acc_ada"))
    assert reason(refused) is AccountRefusal.PASSKEY_REFUSED


async def test_passkey_of_another_account_is_no_second_factor(people: People) -> None:
    ada, bob = await owner(people), await owner(people, BOB)
    await enrol(people, ada)
    await enrol(people, bob)
    for device, is_accepted in ((bob.device, False), (ada.device, True)):
        prompt = await passkeys.begin_second_factor(people.storage, people.vault, PARTY, ada.session)
        assert prompt is not None
        assert len(json.loads(prompt.options)["allowCredentials"]) == 1
        given = {"reference": prompt.reference, "answer": device.get(prompt.options)}
        if is_accepted:
            passkey, _ = await passkeys.proved_as_second_factor(
                people.storage, people.vault, PARTY, ada.session, **given
            )
            assert passkey.account_id == ada.account.id
        else:
            with pytest.raises(AccountRefusedError):
                await passkeys.proved_as_second_factor(people.storage, people.vault, PARTY, ada.session, **given)


async def test_second_factor_of_an_account_without_a_passkey_is_not_asked_for(people: People) -> None:
    ada = await owner(people)
    assert await passkeys.begin_second_factor(people.storage, people.vault, PARTY, ada.session) is None


async def test_prompt_of_another_session_enrols_nothing(people: People) -> None:
    ada, bob = await owner(people), await owner(people, BOB)
    prompt = await passkeys.begin_enrolment(people.storage, people.vault, PARTY, ada.session, ada.account)
    with pytest.raises(AccountRefusedError) as refused:
        await passkeys.finish_enrolment(
            people.storage,
            people.vault,
            PARTY,
            bob.session,
            bob.account,
            FROM,
            reference=prompt.reference,
            answer=ada.device.create(prompt.options),
            label="x",
        )
    assert reason(refused) is AccountRefusal.CEREMONY_ENDED


async def test_session_that_proved_only_a_password_enrols_no_passkey(people: People) -> None:
    """mymate#42: a passkey that a thief of the password enrols is a way in that stays."""
    ada = await owner(people)
    await enrol(people, ada)
    pending = (await people.sign_in()).session
    for session in (pending, replace(ada.session, digest=b"ended")):
        with pytest.raises(AccountRefusedError) as refused:
            await passkeys.begin_enrolment(people.storage, people.vault, PARTY, session, ada.account)
        assert reason(refused) is AccountRefusal.SESSION_WEAK
    people.clock.us += 901 * SECOND_US
    with pytest.raises(AccountRefusedError) as refused:
        await passkeys.begin_enrolment(people.storage, people.vault, PARTY, ada.session, ada.account)
    assert reason(refused) is AccountRefusal.PROOF_OLD


async def test_passkey_is_enrolled_once(people: People) -> None:
    ada = await owner(people)
    await enrol(people, ada)
    with pytest.raises(AccountRefusedError) as refused:
        await enrol(people, ada)
    assert reason(refused) is AccountRefusal.PASSKEY_REFUSED


async def test_account_has_at_most_twenty_passkeys(people: People) -> None:
    ada = await owner(people)
    for _ in range(20):
        ada.device = Authenticator(URL.origin)
        await enrol(people, ada)
    with pytest.raises(AccountRefusedError) as refused:
        await enrol(people, ada)
    assert reason(refused) is AccountRefusal.PASSKEYS_MANY


@pytest.mark.parametrize("label", ["", "  ", "a" * 61, "a\x00b", "a\u202eb"])
def test_unusable_name_of_a_passkey_is_refused(label: str) -> None:
    with pytest.raises(AccountRefusedError) as refused:
        passkeys.checked_label(label)
    assert reason(refused) is AccountRefusal.PASSKEY_NAME


async def test_sign_in_by_passkey_slows_down_for_a_network(people: People) -> None:
    for _ in range(60):
        await passkeys.begin_sign_in(people.storage, people.vault, PARTY, HOME)
    with pytest.raises(RefusedError):
        await passkeys.begin_sign_in(people.storage, people.vault, PARTY, HOME)
