import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pyotp
import pytest
from support.people import ADA, BOB, FIREFOX, HOME, SAFARI, People, new_vault

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.factors import CODE_THROTTLE, FactorKind
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import Code, ConflictError, FailureError, NotFoundError, RefusedError
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import factors, second_factor
from softix_proxy.operations.accounts.factors import FactorProof, Origin
from softix_proxy.operations.accounts.sign_in import SecondFactorNeeded

FROM = Origin(HOME, FIREFOX)
STEP_US = 30 * SECOND_US
APP, CODES, WRONG = FactorKind.TOTP, FactorKind.RECOVERY_CODE, FactorProof(None)


class Person:
    """Who signed in, and has an authenticator app."""

    def __init__(self, people: People, account: Account, session: Session) -> None:
        self.people = people
        self.account = account
        self.session = session
        self.secret = ""
        self.codes: Sequence[str] = ()

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).generate_otp(self.people.clock.us // STEP_US + steps)

    async def begin(self) -> None:
        people = self.people
        await factors.begin_totp(people.storage, people.vault, self.session)
        shown = await factors.pending_totp(
            people.storage, people.vault, self.session, account=self.account, site="softix"
        )
        self.secret = shown.secret
        assert self.secret in shown.uri and self.secret not in repr(self.session)

    async def confirm(self, code: str) -> None:
        people = self.people
        done = await factors.confirm_totp(people.storage, people.vault, self.session, self.account, code, FROM)
        self.session, self.codes = done.started.session, done.recovery_codes or self.codes

    async def verify(self, code: str) -> FactorProof:
        async with self.people.storage.writing() as unit:
            return await factors.verify(unit, self.people.vault, self.account.id, code)


async def person(people: People, email: str = ADA) -> Person:
    account = await people.member(email)
    done = await people.signed_in(email)
    return Person(people, account, done.session)


async def enrolled(people: People, email: str = ADA) -> Person:
    made = await person(people, email)
    await made.begin()
    await made.confirm(made.code())
    return made


def refusal(error: pytest.ExceptionInfo[AccountRefusedError]) -> AccountRefusal:
    return error.value.reason


async def test_app_counts_only_after_a_code_of_it_was_confirmed(people: People) -> None:
    ada = await person(people)
    await ada.begin()
    assert not await factors.required(people.storage.reading(), ada.account.id)
    with pytest.raises(AccountRefusedError) as refused:
        await ada.confirm("000000" if ada.code() != "000000" else "000001")
    assert refusal(refused) is AccountRefusal.CODE_WRONG
    assert not await factors.required(people.storage.reading(), ada.account.id)
    await ada.confirm(ada.code())
    assert await factors.required(people.storage.reading(), ada.account.id)
    assert isinstance(await people.sign_in(), SecondFactorNeeded)


async def test_first_factor_brings_ten_recovery_codes_a_message_and_an_event_and_ends_other_sessions(
    people: People,
) -> None:
    ada = await person(people)
    other = await people.signed_in(device=SAFARI)
    await ada.begin()
    await ada.confirm(ada.code())
    assert len(ada.codes) == 10 and (await people.events(ada.account))[0] == "factor_added"
    [mail] = await people.mails(NoticeKind.FACTOR_CHANGED)
    assert (mail.email, mail.values["factor"], mail.values["change"]) == (ADA, "authenticator app", "added")
    unit = people.storage.reading()
    assert await unit.sessions.by_digest(other.session.digest, people.clock.us) is None
    assert await unit.sessions.by_digest(ada.session.digest, people.clock.us) == ada.session
    assert ada.session.second_factor


async def test_code_of_an_app_proves_the_factor_once(people: People) -> None:
    """A code that somebody saw over a shoulder is worth nothing once it was used, nor is an older one."""
    ada = await enrolled(people)
    assert await ada.verify(ada.code()) == WRONG, "the code that confirmed the app is used"
    people.clock.us += 2 * STEP_US
    code, earlier = ada.code(), ada.code(-1)
    assert await ada.verify(code) == FactorProof(APP)
    assert await ada.verify(code) == await ada.verify(earlier) == WRONG
    assert await ada.verify(ada.code(1)) == FactorProof(APP)


async def test_code_that_many_give_at_once_proves_the_factor_once(people: People) -> None:
    ada = await enrolled(people)
    people.clock.us += 2 * STEP_US
    proofs = await asyncio.gather(*(ada.verify(ada.code()) for _ in range(8)))
    assert sorted(proof.kind or "" for proof in proofs) == [""] * 7 + [APP]


@pytest.mark.parametrize("steps", [-2, 2])
async def test_code_of_another_time_proves_nothing(people: People, steps: int) -> None:
    ada = await enrolled(people)
    people.clock.us += 10 * STEP_US
    assert await ada.verify(ada.code(steps)) == WRONG


async def test_code_of_another_account_proves_nothing(people: People) -> None:
    ada, bob = await enrolled(people), await enrolled(people, BOB)
    people.clock.us += 2 * STEP_US
    assert await ada.verify(bob.code()) == WRONG
    assert await ada.verify(bob.codes[0]) == WRONG


async def test_wrong_codes_slow_down_the_next_ones_and_lock_nobody_out(people: People) -> None:
    ada = await enrolled(people)
    people.clock.us += 2 * STEP_US
    wrong = "000000" if "000000" not in (ada.code(-1), ada.code(), ada.code(1)) else "999999"
    proofs = [await ada.verify(wrong) for _ in range(CODE_THROTTLE.burst + 1)]
    assert proofs[:-1] == [WRONG] * CODE_THROTTLE.burst and proofs[-1].wait_us > 0
    assert (await ada.verify(ada.code())).wait_us > 0
    error = factors.refusal(proofs[-1])
    assert isinstance(error, RefusedError) and error.code is Code.RATE_LIMITED
    people.clock.us += proofs[-1].wait_us
    assert await ada.verify(ada.code()) == FactorProof(APP)
    assert await ada.verify(wrong) == WRONG, "the count begins again after a right code"


async def test_recovery_code_stands_for_the_factor_once(people: People) -> None:
    ada = await enrolled(people)
    first, second, *_ = ada.codes
    assert await ada.verify(first.upper().replace("-", " ")) == FactorProof(CODES)
    assert await ada.verify(first) == WRONG
    assert await ada.verify(second) == FactorProof(CODES)
    assert (await factors.show(people.storage.reading(), ada.account.id)).recovery_codes == 8


async def test_new_recovery_codes_end_the_old_ones(people: People) -> None:
    ada = await enrolled(people)
    new = await factors.new_recovery_codes(people.storage, people.vault, ada.session, ada.account, FROM)
    assert len(new) == 10 and not set(new) & set(ada.codes)
    assert await ada.verify(ada.codes[0]) == WRONG
    assert await ada.verify(new[0]) == FactorProof(CODES)


async def test_recovery_codes_without_a_factor_are_not_made(people: People) -> None:
    ada = await person(people)
    with pytest.raises(AccountRefusedError) as refused:
        await factors.new_recovery_codes(people.storage, people.vault, ada.session, ada.account, FROM)
    assert refusal(refused) is AccountRefusal.FACTOR_MISSING


async def test_session_that_proved_only_a_password_enrols_nothing_if_the_account_has_a_second_factor(
    people: People,
) -> None:
    ada = await enrolled(people)
    pending = await people.sign_in()
    assert isinstance(pending, SecondFactorNeeded)
    half = replace(pending.session, is_pending=False)
    async with people.storage.writing() as unit:
        await unit.sessions.update(half)
    for session in (pending.session, half):
        with pytest.raises(AccountRefusedError) as refused:
            await factors.begin_totp(people.storage, people.vault, session)
        assert refusal(refused) is AccountRefusal.SESSION_WEAK
        with pytest.raises(AccountRefusedError):
            await factors.remove(people.storage, people.vault, session, ada.account, FROM)
        with pytest.raises(AccountRefusedError):
            await factors.new_recovery_codes(people.storage, people.vault, session, ada.account, FROM)
    assert (await factors.show(people.storage.reading(), ada.account.id)).totp is not None


async def test_account_without_a_second_factor_proves_again_who_it_is_before_it_enrols_one(people: People) -> None:
    ada = await person(people)
    people.clock.us += 15 * 60 * SECOND_US + 1
    with pytest.raises(AccountRefusedError) as refused:
        await ada.begin()
    assert refusal(refused) is AccountRefusal.PROOF_OLD


async def test_session_that_has_ended_enrols_nothing(people: People) -> None:
    ada = await person(people)
    await ada.begin()
    async with people.storage.writing() as unit:
        await unit.sessions.end(ada.session.id)
    with pytest.raises(AccountRefusedError) as refused:
        await ada.confirm(ada.code())
    assert refusal(refused) is AccountRefusal.SESSION_WEAK


async def test_enrolment_is_over_after_ten_minutes_and_after_its_confirmation(people: People) -> None:
    ada = await person(people)
    await ada.begin()
    people.clock.us += 600 * SECOND_US
    with pytest.raises(AccountRefusedError) as refused:
        await ada.confirm(ada.code())
    assert refusal(refused) is AccountRefusal.CEREMONY_ENDED
    await ada.begin()
    await ada.confirm(ada.code())
    with pytest.raises(AccountRefusedError) as refused:
        await factors.pending_totp(people.storage, people.vault, ada.session, account=ada.account, site="softix")
    assert refusal(refused) is AccountRefusal.CEREMONY_ENDED


async def test_second_app_takes_the_place_of_the_first_and_leaves_the_recovery_codes(people: People) -> None:
    ada = await enrolled(people)
    old = ada.secret
    await ada.begin()
    await ada.confirm(ada.code())
    people.clock.us += 2 * STEP_US
    assert await ada.verify(pyotp.TOTP(old).generate_otp(people.clock.us // STEP_US)) == WRONG
    assert await ada.verify(ada.codes[0]) == FactorProof(CODES)
    assert await ada.verify(ada.code()) == FactorProof(APP)


async def test_removal_of_the_last_factor_ends_the_recovery_codes_and_tells_the_person(people: People) -> None:
    ada = await enrolled(people)
    await factors.remove(people.storage, people.vault, ada.session, ada.account, FROM)
    found = await factors.show(people.storage.reading(), ada.account.id)
    assert not found.any and found.recovery_codes == 0
    assert (await people.events(ada.account))[0] == "factor_removed"
    assert [mail.values["change"] for mail in await people.mails(NoticeKind.FACTOR_CHANGED)] == ["removed", "added"]
    with pytest.raises(AccountRefusedError) as refused:
        await factors.remove(people.storage, people.vault, ada.session, ada.account, FROM)
    assert refusal(refused) is AccountRefusal.FACTOR_MISSING


async def test_last_factor_of_a_role_that_needs_one_is_not_removed(people: People) -> None:
    ada = await enrolled(people)
    with pytest.raises(AccountRefusedError) as refused:
        await factors.remove(people.storage, people.vault, ada.session, ada.account, FROM, roles=("owner",))
    assert refusal(refused) is AccountRefusal.FACTOR_NEEDED
    assert (await factors.show(people.storage.reading(), ada.account.id)).recovery_codes == 10
    await factors.remove(people.storage, people.vault, ada.session, ada.account, FROM, roles=("admin",))


async def test_role_of_operators_and_of_members_may_need_a_factor(people: People) -> None:
    ada = await people.member()
    team = await users.create(people.storage, name="team", email=BOB, role=UserRole.USER, postpaid=False)
    async with people.storage.writing() as unit:
        await unit.memberships.add(Membership(ada.id, team.id, OrganisationRole.BILLING, 1))
    shown = [
        await second_factor.overview(people.storage, ada, roles) for roles in ((), ("billing",), ("admin",), ("user",))
    ]
    assert [one.is_needed for one in shown] == [False, True, False, True]
    admin = replace(ada, role=UserRole.ADMIN)
    assert (await second_factor.overview(people.storage, admin, ("admin",))).is_needed


async def test_operator_resets_the_factors_of_a_person_who_lost_them(people: People) -> None:
    ada = await enrolled(people)
    assert (await factors.list_all(people.storage, ADA))[1].recovery_codes == 10
    assert await factors.reset(people.storage, people.vault, ADA) == ada.account
    assert not await factors.required(people.storage.reading(), ada.account.id)
    assert await people.storage.reading().sessions.list(ada.account.id, people.clock.us) == []
    assert (await people.mails(NoticeKind.FACTOR_CHANGED))[0].values["device"] == "the operator"
    with pytest.raises(ConflictError):
        await factors.reset(people.storage, people.vault, ada.account.public_id)
    with pytest.raises(NotFoundError):
        await factors.reset(people.storage, people.vault, BOB)


async def test_secret_of_an_app_is_sealed_for_its_account(people: People) -> None:
    ada, bob = await enrolled(people), await enrolled(people, BOB)
    unit = people.storage.reading()
    totp = (await unit.factors.of_account(ada.account.id)).totp
    assert totp is not None and ada.secret.encode() not in totp.sealed_secret
    async with people.storage.writing() as unit:
        await unit.factors.set_totp(replace(totp, account_id=bob.account.id, last_step=0))
    with pytest.raises(FailureError):
        await bob.verify(ada.code())


async def test_secrets_of_apps_are_outstanding_under_another_master_key(people: People) -> None:
    await enrolled(people)
    unit = people.storage.reading()
    assert (
        await factors.outstanding(unit, people.vault) == [] and await factors.rewrap(people.storage, people.vault) == 0
    )
    other = new_vault()
    assert len(await factors.outstanding(unit, other)) == 1
    with pytest.raises(FailureError):
        await factors.rewrap(people.storage, other)
