from dataclasses import replace

import pyotp
import pytest
from support.people import ADA, EVE, FIREFOX, HOME, OFFICE, People, new_password

from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.federated_identities import VerifiedClaims
from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.accounts import accounts, emails, factors, federated_identities, password_resets, sessions
from softix_proxy.operations.accounts.sign_in import SecondFactorNeeded

RESET = NoticeKind.RESET_PASSWORD


async def request(people: People, email: str = ADA, address: str = HOME, *, oidc: OidcSection | None = None) -> None:
    section = oidc or OidcSection()
    await password_resets.request(people.storage, people.vault, email, address=address, oidc=section)


async def finish(people: People, token: str, password: str) -> None:
    await password_resets.finish(
        people.storage, people.vault, people.hasher, token, password=password, address=HOME, device=FIREFOX
    )


async def test_reset_sets_the_password_and_ends_every_session_and_link(people: People) -> None:
    account = await people.member()
    stolen = await people.signed_in()
    await request(people)
    token = (await people.mails(RESET))[0].token
    assert (await password_resets.look(people.storage, token)).email == ADA
    new = new_password()
    await finish(people, token, new)
    assert await sessions.find(people.storage, stolen.token, people.portal, people.clock.us) is None
    with pytest.raises(AccountRefusedError):
        await people.sign_in()
    await people.signed_in(password=new)
    with pytest.raises(AccountRefusedError) as refused:
        await finish(people, token, new_password())
    assert refused.value.reason is AccountRefusal.LINK_ENDED
    assert [mail.email for mail in await people.mails(NoticeKind.PASSWORD_CHANGED)] == [ADA]
    assert "password_reset" in await people.events(account)


async def test_reset_answers_the_same_and_mails_only_the_stored_address(people: People) -> None:
    """CVE-2019-19844: the link went to the address that was typed, which folded into the owner's."""
    await people.member()
    before = len(await people.mails())
    for email in ("ADA@EXAMPLE.ORG", EVE, "mıke@example.org", "no address", ""):
        with people.counted() as work:
            await request(people, email)
        assert work == ["transaction"]
    added = (await people.mails())[: len(await people.mails()) - before]
    assert [(mail.kind, mail.email) for mail in added] == [(RESET, ADA)]


async def test_reset_token_is_in_the_message_alone(people: People) -> None:
    await people.member()
    assert await password_resets.request(people.storage, people.vault, ADA, address=HOME, oidc=OidcSection()) is None  # type: ignore[func-returns-value] # that is what is tested
    [mail] = await people.mails(RESET)
    assert mail.link == f"/reset?token={mail.token}" and len(mail.token) == 43
    rows = await people.storage.reading()._session.all("SELECT template_values FROM outbox")
    assert not any(mail.token in values for (values,) in rows), "the outbox has it sealed"


async def test_reset_leaves_the_second_factor_required(people: People) -> None:
    """worldcubeassociation#8432: who read the mail got in without the second factor."""
    account = await people.member()
    session = (await people.signed_in()).session
    await factors.begin_totp(people.storage, people.vault, session)
    shown = await factors.pending_totp(people.storage, people.vault, session, account=account, site="softix")
    code = pyotp.TOTP(shown.secret).at(people.clock.us // SECOND_US)
    origin = factors.Origin(HOME, FIREFOX)
    await factors.confirm_totp(people.storage, people.vault, session, account, code, origin)
    await request(people)
    new = new_password()
    await finish(people, (await people.mails(RESET))[0].token, new)
    assert await sessions.list_all(people.storage, account.id) == [], "a reset signs nobody in"
    done = await people.sign_in(password=new)
    assert isinstance(done, SecondFactorNeeded) and done.session.is_pending
    assert (await people.storage.reading().factors.of_account(account.id)).totp is not None


async def test_reset_link_ends_after_an_hour_and_when_there_is_a_newer_one(people: People) -> None:
    await people.member()
    await request(people)
    older = (await people.mails(RESET))[0].token
    await request(people)
    newer = (await people.mails(RESET))[0].token
    with pytest.raises(AccountRefusedError):
        await finish(people, older, new_password())
    people.clock.us += 3600 * SECOND_US
    with pytest.raises(AccountRefusedError):
        await finish(people, newer, new_password())
    await people.signed_in()


async def test_reset_to_a_bad_password_keeps_the_link_usable(people: People) -> None:
    await people.member()
    await request(people)
    token = (await people.mails(RESET))[0].token
    for bad in ("short", "lovelace", ADA):
        with pytest.raises(AccountRefusedError):
            await finish(people, token, bad)
    await finish(people, token, new_password())


async def test_reset_of_an_unverified_address_verifies_it(people: People) -> None:
    """The link came by mail, as the one of the verification does. A stranger's password ends by it."""
    await people.register()
    await request(people)
    new = new_password()
    await finish(people, (await people.mails(RESET))[0].token, new)
    done = await people.signed_in(password=new)
    assert done.account.verified_at_us == people.clock.us
    assert len(await people.storage.reading().memberships.of_account(done.account.id)) == 1


async def test_reset_of_a_disabled_account_mails_nothing_and_sets_nothing(people: People) -> None:
    await people.member()
    await request(people)
    token = (await people.mails(RESET))[0].token
    await accounts.disable(people.storage, ADA)
    with pytest.raises(AccountRefusedError):
        await finish(people, token, new_password())
    await request(people)
    assert len(await people.mails(RESET)) == 1


async def test_resets_are_slowed_down_by_network_and_few_messages_go_to_one_address(people: People) -> None:
    await people.member()
    for _ in range(10):
        await request(people)
    with pytest.raises(RefusedError) as refused:
        await request(people)
    assert refused.value.code is Code.RATE_LIMITED
    await request(people, address=OFFICE)
    assert len(await people.mails(RESET)) == 3


async def test_reset_is_mailed_however_many_other_messages_strangers_caused(people: People) -> None:
    """A stranger registered the owner's address again and again, and the owner never got a link."""
    await people.member()
    await people.member(EVE)
    eve = (await people.signed_in(EVE)).session
    for _ in range(4):
        await people.register(ADA)
        await emails.request_change(people.storage, people.vault, eve, ADA)
    assert len(await people.mails(NoticeKind.ALREADY_REGISTERED)) == 3
    await request(people)
    assert len(await people.mails(RESET)) == 1


async def test_link_that_verifies_is_mailed_however_many_strangers_wanted_the_address(people: People) -> None:
    await people.member(EVE)
    eve = (await people.signed_in(EVE)).session
    for _ in range(4):
        await request(people, ADA)
        await emails.request_change(people.storage, people.vault, eve, ADA)
    await people.register(ADA)
    assert len([mail for mail in await people.mails(NoticeKind.VERIFY_EMAIL) if mail.email == ADA]) == 1


async def test_first_link_of_an_operator_sets_the_first_password_within_three_days(people: People) -> None:
    made = await accounts.create(people.storage, people.vault, email=ADA)
    token = made.path.partition("token=")[2]
    assert (await password_resets.look(people.storage, token)).is_first
    [mail] = await people.mails()
    assert (mail.kind, mail.token) == (NoticeKind.FIRST_SIGN_IN, token)
    people.clock.us += 3 * DAY_US - 1
    new = new_password()
    await finish(people, token, new)
    done = await people.signed_in(password=new)
    assert done.account.can_sign_in
    assert await people.mails(NoticeKind.PASSWORD_CHANGED) == []


async def test_link_of_an_operator_for_a_person_with_a_password_is_a_reset_and_its_use_is_told(people: People) -> None:
    await people.member()
    made = await accounts.reset_link(people.storage, people.vault, ADA)
    token = made.path.partition("token=")[2]
    assert not (await password_resets.look(people.storage, token)).is_first
    assert [mail.token for mail in await people.mails(RESET)] == [token]
    assert await people.mails(NoticeKind.FIRST_SIGN_IN) == []
    people.clock.us += 3 * DAY_US - 1
    await finish(people, token, new_password())
    assert [mail.email for mail in await people.mails(NoticeKind.PASSWORD_CHANGED)] == [ADA]


async def test_older_first_link_is_none_any_more_once_the_account_has_a_password(people: People) -> None:
    """Both links are open at once. The second one changes a password, whatever it was made for."""
    made = await accounts.create(people.storage, people.vault, email=ADA)
    async with people.storage.writing() as unit:
        await unit.accounts.set_password_hash(made.account.id, "new:secret")
    token = made.path.partition("token=")[2]
    assert not (await password_resets.look(people.storage, token)).is_first
    await finish(people, token, new_password())
    assert len(await people.mails(NoticeKind.PASSWORD_CHANGED)) == 1


async def test_reset_of_an_account_without_a_password_sets_the_first_one_and_is_told(people: People) -> None:
    await accounts.create(people.storage, people.vault, email=ADA, is_mailed=False)
    await request(people)
    token = (await people.mails(RESET))[0].token
    assert (await password_resets.look(people.storage, token)).is_first
    await finish(people, token, new_password())
    assert len(await people.mails(NoticeKind.PASSWORD_CHANGED)) == 1


ISSUER = "https://login.example.org"
OIDC = OidcSection(issuer=ISSUER, client_id="softix", create_accounts=True)
DECIDES = [replace(OIDC, roles=("staff=member",)), replace(OIDC, allowed_domains=("example.org",))]


async def by_provider(people: People) -> Account:
    """Ada, who came by the provider and has no password."""
    claims = {"email": ADA, "email_verified": True, "groups": ["staff"]}
    async with people.storage.writing() as unit:
        origin, verified = factors.Origin(HOME, FIREFOX), VerifiedClaims(ISSUER, "ada-1", claims)
        return (await federated_identities.account_for(unit, OIDC, verified, origin)).account


@pytest.mark.parametrize("section", DECIDES)
async def test_person_whom_the_provider_lets_in_gets_no_first_password_by_a_reset(
    people: People, section: OidcSection
) -> None:
    """Whose group was taken away set a password, and signed in by it."""
    await by_provider(people)
    with people.counted() as work:
        await request(people, oidc=section)
    assert work == ["transaction"]
    assert [(mail.kind, mail.email, mail.link) for mail in await people.mails()] == [
        (NoticeKind.NO_PASSWORD, ADA, None)
    ]
    link = await accounts.reset_link(people.storage, people.vault, ADA)
    await finish(people, link.path.partition("token=")[2], new_password())


@pytest.mark.parametrize("section", [OidcSection(), OIDC, replace(DECIDES[0], issuer="https://other.example.org")])
async def test_person_whom_no_rule_of_the_provider_keeps_out_sets_a_first_password(
    people: People, section: OidcSection
) -> None:
    await by_provider(people)
    await request(people, oidc=section)
    assert [mail.kind for mail in await people.mails()] == [RESET]


@pytest.mark.parametrize("section", DECIDES)
async def test_person_who_has_a_password_beside_the_provider_resets_it(people: People, section: OidcSection) -> None:
    account = await by_provider(people)
    async with people.storage.writing() as unit:
        await unit.accounts.set_password_hash(account.id, "new:secret")
    await request(people, oidc=section)
    assert [mail.kind for mail in await people.mails()] == [RESET]
