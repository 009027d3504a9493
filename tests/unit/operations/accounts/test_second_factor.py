import asyncio
from typing import Any

import pyotp
import pytest
from support.authenticator import Authenticator
from support.people import ADA, BOB, FIREFOX, HOME, SAFARI, People, new_password

from softix_proxy.domain.accounts.ceremonies import CeremonyKind
from softix_proxy.domain.accounts.federated_identities import VerifiedClaims
from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.accounts import accounts, factors, passkeys, password_resets, second_factor, sessions
from softix_proxy.operations.accounts.factors import Origin
from softix_proxy.operations.accounts.oidc import OidcAnswer
from softix_proxy.operations.accounts.second_factor import ProofChoices
from softix_proxy.operations.accounts.sessions import StartedSession
from softix_proxy.operations.accounts.sign_in import SecondFactorNeeded, SignedIn

FROM = Origin(HOME, FIREFOX)
URL = parse_public_url("https://portal.example.org")
PARTY = passkeys.relying_party(URL)
STEP_US = 30 * SECOND_US


class Holder:
    """Ada, who has an app and a passkey."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.device = Authenticator(URL.origin)
        self.secret = ""
        self.codes: Any = ()
        self.session: Session

    async def enrol(self) -> None:
        people = self.people
        self.account = await people.member()
        self.session = (await people.signed_in()).session
        await factors.begin_totp(people.storage, people.vault, self.session)
        shown = await factors.pending_totp(
            people.storage, people.vault, self.session, account=self.account, site="softix"
        )
        self.secret = shown.secret
        done = await factors.confirm_totp(people.storage, people.vault, self.session, self.account, self.code(), FROM)
        self.session, self.codes = done.started.session, done.recovery_codes
        prompt = await passkeys.begin_enrolment(people.storage, people.vault, PARTY, self.session, self.account)
        added = await passkeys.finish_enrolment(
            people.storage,
            people.vault,
            PARTY,
            self.session,
            self.account,
            FROM,
            reference=prompt.reference,
            answer=self.device.create(prompt.options),
            label="Phone",
        )
        self.session = added.started.session
        people.clock.us += 2 * STEP_US

    def code(self) -> str:
        return pyotp.TOTP(self.secret).generate_otp(self.people.clock.us // STEP_US)

    async def pending(self) -> Session:
        done = await self.people.sign_in()
        assert isinstance(done, SecondFactorNeeded)
        return done.session

    async def prove(self, session: Session, code: str) -> SignedIn:
        people = self.people
        return await second_factor.prove_code(people.storage, people.vault, session, code, FROM, people.portal)

    async def prove_passkey(self, session: Session, device: Authenticator | None = None) -> SignedIn:
        people = self.people
        prompt = await passkeys.begin_second_factor(people.storage, people.vault, PARTY, session)
        assert prompt is not None
        answer = (device or self.device).get(prompt.options)
        return await second_factor.prove_passkey(
            people.storage,
            people.vault,
            PARTY,
            session,
            FROM,
            people.portal,
            reference=prompt.reference,
            answer=answer,
        )

    async def confirm(self, session: Session, device: Authenticator | None = None) -> StartedSession:
        people = self.people
        prompt = await passkeys.begin_second_factor(people.storage, people.vault, PARTY, session)
        assert prompt is not None
        answer = (device or self.device).get(prompt.options)
        return await second_factor.confirm_passkey(
            people.storage, people.vault, PARTY, session, FROM, reference=prompt.reference, answer=answer
        )

    async def by_passkey(self, *, replaces: str = "") -> SignedIn:
        people = self.people
        prompt = await passkeys.begin_sign_in(people.storage, people.vault, PARTY, HOME)
        done = await second_factor.sign_in_by_passkey(
            people.storage,
            people.vault,
            PARTY,
            FROM,
            people.portal,
            reference=prompt.reference,
            answer=self.device.get(prompt.options),
            replaces=replaces,
        )
        assert isinstance(done, SignedIn)
        return done


@pytest.fixture
async def ada(people: People) -> Holder:
    made = Holder(people)
    await made.enrol()
    return made


async def refusal(proof: Any) -> AccountRefusal:
    with pytest.raises(AccountRefusedError) as error:
        await proof
    return error.value.reason


async def test_right_code_opens_the_session_under_a_new_token(ada: Holder, people: People) -> None:
    waiting = await people.sign_in()
    done = await ada.prove(waiting.session, ada.code())
    assert done.token != waiting.token and done.session.id == waiting.session.id
    assert done.session.second_factor and not done.session.is_pending
    assert await sessions.find(people.storage, waiting.token, people.portal, people.clock.us) is None
    assert await sessions.find(people.storage, done.token, people.portal, people.clock.us) == done.session
    assert (await people.events(ada.account))[0] == "signed_in"


async def test_code_opens_one_of_two_sessions_that_give_it_at_once(ada: Holder) -> None:
    """better-auth#10387: a code that somebody intercepts opened a second session within its half minute."""
    code, waiting = ada.code(), [await ada.pending() for _ in range(4)]
    done = await asyncio.gather(*(ada.prove(session, code) for session in waiting), return_exceptions=True)
    assert sum(isinstance(one, SignedIn) for one in done) == 1
    assert sum(isinstance(one, AccountRefusedError) for one in done) == 3
    assert await refusal(ada.prove(await ada.pending(), code)) is AccountRefusal.CODE_WRONG


async def test_wrong_code_is_recorded_and_opens_nothing(ada: Holder, people: People) -> None:
    session = await ada.pending()
    assert await refusal(ada.prove(session, "abcdef")) is AccountRefusal.CODE_WRONG
    assert (await people.events(ada.account))[0] == "sign_in_failed"
    kept = await people.storage.reading().sessions.by_digest(session.digest, people.clock.us)
    assert kept is not None and kept.is_pending


async def test_recovery_code_opens_the_session_and_the_person_is_told(ada: Holder, people: People) -> None:
    done = await ada.prove(await ada.pending(), ada.codes[0])
    assert done.session.second_factor
    assert set((await people.events(ada.account))[:2]) == {"signed_in", "recovery_code_used"}
    told = (await people.mails(NoticeKind.FACTOR_CHANGED))[0]
    assert (told.values["factor"], told.values["change"]) == ("recovery codes", "used")
    assert await refusal(ada.prove(await ada.pending(), ada.codes[0])) is AccountRefusal.CODE_WRONG


async def test_session_that_waits_for_nothing_or_has_ended_is_not_opened(ada: Holder, people: People) -> None:
    assert await refusal(ada.prove(ada.session, ada.code())) is AccountRefusal.SESSION_ENDED
    session = await ada.pending()
    people.clock.us += 600 * SECOND_US
    assert await refusal(ada.prove(session, ada.code())) is AccountRefusal.SESSION_ENDED


async def test_passkey_opens_a_session_that_waits_for_its_second_factor(ada: Holder, people: People) -> None:
    done = await ada.prove_passkey(await ada.pending())
    assert done.session.second_factor and done.session.method is SignInMethod.PASSWORD
    stranger = Authenticator(URL.origin, handle=ada.device.handle)
    assert await refusal(ada.prove_passkey(await ada.pending(), stranger)) is AccountRefusal.PASSKEY_REFUSED
    assert (await people.events(ada.account))[0] == "sign_in_failed"


async def failures(people: People, ada: Holder) -> int:
    return (await people.events(ada.account)).count("sign_in_failed")


async def test_code_that_has_to_wait_is_not_recorded(ada: Holder, people: People) -> None:
    """Else whoever knows the password pushes every other event off the pages."""
    session, outcomes = await ada.pending(), []
    for _ in range(15):
        with pytest.raises((AccountRefusedError, RefusedError)) as error:
            await ada.prove(session, "000000")
        outcomes.append(type(error.value))
    assert outcomes == [AccountRefusedError] * 10 + [RefusedError] * 5
    assert await failures(people, ada) == 10


@pytest.mark.parametrize("is_confirmation", [False, True])
async def test_passkeys_that_are_refused_are_slowed_down_and_few_are_recorded(
    ada: Holder, people: People, is_confirmation: bool
) -> None:
    session = ada.session if is_confirmation else await ada.pending()
    garbage = {"reference": "none", "answer": "none"}
    outcomes = []
    for _ in range(15):
        with pytest.raises((AccountRefusedError, RefusedError)) as error:
            if is_confirmation:
                await second_factor.confirm_passkey(people.storage, people.vault, PARTY, session, FROM, **garbage)
            else:
                await second_factor.prove_passkey(
                    people.storage, people.vault, PARTY, session, FROM, people.portal, **garbage
                )
        outcomes.append(type(error.value))
    assert outcomes == [AccountRefusedError] * 10 + [RefusedError] * 5
    assert await failures(people, ada) == 10
    people.clock.us += 300 * SECOND_US
    assert await (ada.confirm(session) if is_confirmation else ada.prove_passkey(session))


async def test_passkey_that_is_right_takes_back_what_was_counted(ada: Holder) -> None:
    for _ in range(20):
        await ada.prove_passkey(await ada.pending())


async def test_account_asks_for_its_passkeys_only_so_often(ada: Holder, people: People) -> None:
    """Each request is a row for some minutes."""
    session = await ada.pending()
    for _ in range(30):
        assert await passkeys.begin_second_factor(people.storage, people.vault, PARTY, session) is not None
    with people.counted() as work, pytest.raises(RefusedError) as refused:
        await passkeys.begin_second_factor(people.storage, people.vault, PARTY, session)
    assert refused.value.code is Code.RATE_LIMITED and work == []


async def test_passkey_alone_signs_in_and_is_enough(ada: Holder, people: People) -> None:
    before = await people.sign_in()
    done = await ada.by_passkey(replaces=before.token)
    assert done.account == ada.account
    assert (done.session.method, done.session.second_factor) == (SignInMethod.PASSKEY, True)
    assert await sessions.find(people.storage, before.token, people.portal, people.clock.us) is None


async def test_passkey_proves_again_who_it_is_under_a_new_token(ada: Holder, people: People) -> None:
    people.clock.us += 3600 * SECOND_US
    proved = await ada.confirm(ada.session)
    assert proved.session.id == ada.session.id and proved.session.digest != ada.session.digest
    assert proved.session.second_factor and proved.session.reauthenticated_at_us == people.clock.us
    assert await people.storage.reading().sessions.by_digest(ada.session.digest, people.clock.us) is None
    kept = await people.storage.reading().sessions.by_digest(proved.session.digest, people.clock.us)
    assert kept == proved.session and kept.ends_at_us == ada.session.ends_at_us


async def test_passkey_of_nobody_and_a_session_that_is_not_open_prove_nothing(ada: Holder, people: People) -> None:
    stranger = Authenticator(URL.origin, handle=ada.device.handle)
    assert await refusal(ada.confirm(ada.session, stranger)) is AccountRefusal.PASSKEY_REFUSED
    assert (await people.events(ada.account))[0] == "sign_in_failed"
    pending = await ada.pending()
    assert await refusal(ada.confirm(pending)) is AccountRefusal.SESSION_ENDED
    kept = await people.storage.reading().sessions.by_digest(pending.digest, people.clock.us)
    assert kept is not None and kept.is_pending
    async with people.storage.writing() as unit:
        await unit.sessions.end_others(ada.account.id)
    assert await refusal(ada.confirm(ada.session)) is AccountRefusal.SESSION_ENDED


async def test_person_proves_again_who_it_is_by_what_the_account_has(ada: Holder, people: People) -> None:
    async def choices(account_id: int, section: OidcSection = OIDC) -> ProofChoices:
        return await second_factor.proof_choices(people.storage, account_id, section)

    assert await choices(ada.account.id) == ProofChoices(has_password=True, has_passkey=True, has_identity=False)
    bob = await by_oidc(people)
    assert isinstance(bob, SignedIn)
    only = ProofChoices(has_password=False, has_passkey=False, has_identity=True)
    assert await choices(bob.account.id) == only
    for section in (OidcSection(), OidcSection(issuer="https://other.example.org", client_id="softix")):
        assert await choices(bob.account.id, section) == only._replace(has_identity=False)


async def test_passkey_of_a_disabled_account_opens_nothing(ada: Holder, people: People) -> None:
    await accounts.disable(people.storage, ADA)
    assert await refusal(ada.by_passkey()) is AccountRefusal.DISABLED


async def test_new_password_by_a_mailed_link_does_not_stand_for_the_second_factor(ada: Holder, people: People) -> None:
    """worldcubeassociation#8432: whoever reads the mail was in without the second factor."""
    await password_resets.request(people.storage, people.vault, ADA, address=HOME, oidc=OidcSection())
    token, new = (await people.mails(NoticeKind.RESET_PASSWORD))[0].token, new_password()
    await password_resets.finish(
        people.storage, people.vault, people.hasher, token, password=new, address=HOME, device=SAFARI
    )
    assert await people.storage.reading().sessions.list(ada.account.id, people.clock.us) == []
    waiting = await people.sign_in(password=new)
    assert isinstance(waiting, SecondFactorNeeded) and waiting.session.is_pending
    assert await refusal(ada.prove(waiting.session, "123456")) is AccountRefusal.CODE_WRONG
    assert (await ada.prove(waiting.session, ada.code())).session.second_factor


async def test_link_of_an_operator_does_not_stand_for_the_second_factor(ada: Holder, people: People) -> None:
    link = await accounts.reset_link(people.storage, people.vault, ADA)
    new = new_password()
    await password_resets.finish(
        people.storage,
        people.vault,
        people.hasher,
        link.path.partition("token=")[2],
        password=new,
        address=HOME,
        device=SAFARI,
    )
    assert isinstance(await people.sign_in(password=new), SecondFactorNeeded)


ISSUER = "https://login.example.org"
OIDC = OidcSection(issuer=ISSUER, client_id="softix", create_accounts=True)


async def by_oidc(people: People, **claims: Any) -> SignedIn | SecondFactorNeeded:
    told = {"email": BOB, "email_verified": True, "name": "Bob", **claims}
    answer = OidcAnswer(CeremonyKind.OIDC_SIGN_IN, VerifiedClaims(ISSUER, "bob-1", told), None, "/")
    return await second_factor.sign_in_by_oidc(people.storage, people.vault, OIDC, answer, FROM, people.portal)


async def test_provider_signs_in_a_person_without_factors(people: People) -> None:
    done = await by_oidc(people)
    assert isinstance(done, SignedIn)
    assert (done.session.method, done.session.second_factor) == (SignInMethod.OIDC, False)


async def test_second_factor_of_an_account_is_asked_for_unless_the_provider_asked_for_several(people: People) -> None:
    done = await by_oidc(people)
    assert isinstance(done, SignedIn)
    await factors.begin_totp(people.storage, people.vault, done.session)
    shown = await factors.pending_totp(people.storage, people.vault, done.session, account=done.account, site="softix")
    code = pyotp.TOTP(shown.secret).generate_otp(people.clock.us // STEP_US)
    await factors.confirm_totp(people.storage, people.vault, done.session, done.account, code, FROM)
    assert isinstance(await by_oidc(people), SecondFactorNeeded)
    enough = await by_oidc(people, amr=["mfa"])
    assert isinstance(enough, SignedIn) and enough.session.second_factor
