from dataclasses import replace
from typing import Any

import pytest
from support.people import ADA, BOB, FIREFOX, HOME, People

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.accounts.account_tokens import TokenPurpose
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.federated_identities import VerifiedClaims
from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.secret_tokens import token_digest
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import accounts, federated_identities
from softix_proxy.operations.accounts.factors import Origin
from softix_proxy.operations.accounts.federated_identities import FederatedSignIn
from softix_proxy.operations.accounts.sessions import StartedSession

FROM = Origin(HOME, FIREFOX)
ISSUER = "https://login.example.org"
OPEN = OidcSection(issuer=ISSUER, client_id="softix", create_accounts=True)


def says(subject: str = "ada-1", **claims: Any) -> VerifiedClaims:
    told = {"email": ADA, "email_verified": True, "name": "Ada Lovelace", **claims}
    return VerifiedClaims(ISSUER, subject, told)


async def enter(people: People, verified: VerifiedClaims, section: OidcSection = OPEN) -> FederatedSignIn:
    async with people.storage.writing() as unit:
        return await federated_identities.account_for(unit, section, verified, FROM)


async def refused(people: People, verified: VerifiedClaims, section: OidcSection = OPEN) -> AccountRefusal:
    with pytest.raises(AccountRefusedError) as error:
        await enter(people, verified, section)
    return error.value.reason


async def role_of(people: People, account: Account, team: User) -> OrganisationRole | None:
    held = await people.storage.reading().memberships.of_account(account.id)
    return next((one.role for one in held if one.user_id == team.id), None)


@pytest.fixture
async def team(people: People) -> User:
    return await users.create(people.storage, name="team", email="team@example.org", role=UserRole.USER, postpaid=False)


async def test_person_whom_nobody_knows_gets_an_account_and_comes_back_to_it(people: People) -> None:
    first = await enter(people, says())
    assert (first.account.email, first.account.display_name, first.account.role) == (ADA, "Ada Lovelace", UserRole.USER)
    assert first.account.can_sign_in and not first.proved_factors
    again = await enter(people, says(email="ada.l@example.org", email_verified=False))
    assert again.account.id == first.account.id and again.account.email == ADA
    assert len(await people.storage.reading().memberships.of_account(first.account.id)) == 1
    [identity] = await people.storage.reading().federated_identities.of_account(first.account.id)
    assert (identity.issuer, identity.subject, identity.used_at_us) == (ISSUER, "ada-1", people.clock.us)


async def test_person_whom_nobody_knows_gets_no_account_unless_the_settings_say_so(people: People) -> None:
    assert await refused(people, says(), replace(OPEN, create_accounts=False)) is AccountRefusal.ACCOUNT_MISSING
    assert await people.storage.reading().accounts.by_email(ADA) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "false"},
        {"email_verified": "yes"},
        {"email": None},
        {"email": 7},
    ],
)
@pytest.mark.parametrize("known", ["nobody", "unverified", "verified"])
async def test_address_that_the_provider_does_not_call_verified_is_linked_to_nothing(
    people: People, claims: dict[str, Any], known: str
) -> None:
    """ezauth#87: whoever wrote another's address into a profile at the provider got the other's account."""
    if known == "unverified":
        await people.register()
    if known == "verified":
        await people.member()
    assert await refused(people, says(**claims)) is AccountRefusal.EMAIL_UNVERIFIED
    assert await people.storage.reading().federated_identities.find(ISSUER, "ada-1") is None


async def test_account_that_a_stranger_registered_is_taken_without_the_strangers_password_and_sessions(
    people: People,
) -> None:
    """authorizer#503: the stranger's password went on opening the account of the address's owner."""
    await people.register(name="Mallory")
    before = await people.account()
    link = (await people.mails(NoticeKind.VERIFY_EMAIL))[0].token
    assert await people.storage.reading().accounts.password_hash(before.id) is not None
    done = await enter(people, says())
    assert done.account.id == before.id and done.account.display_name == "Ada Lovelace"
    assert done.account.verified_at_us is not None and done.account.age_attested_at_us is None
    assert await people.storage.reading().accounts.password_hash(before.id) is None
    assert await people.storage.reading().sessions.list(before.id, people.clock.us) == []
    with pytest.raises(AccountRefusedError):
        await people.sign_in()
    found = await people.storage.reading().account_tokens.find(
        token_digest(link), TokenPurpose.VERIFY_EMAIL, people.clock.us
    )
    assert found is None


async def test_account_in_use_is_not_linked_by_its_address(people: People) -> None:
    ada = await people.member()
    assert await refused(people, says()) is AccountRefusal.LINK_FIRST
    assert await people.signed_in()
    assert await people.storage.reading().federated_identities.of_account(ada.id) == []


async def test_account_in_use_is_linked_by_its_owner_who_is_signed_in(people: People) -> None:
    ada = await people.member()
    session = (await people.signed_in()).session
    other = says(email="ada@example.com", email_verified=False)
    await federated_identities.link(people.storage, people.vault, session, ada, other, FROM)
    await federated_identities.link(people.storage, people.vault, session, ada, other, FROM)
    assert (await enter(people, other)).account.id == ada.id
    assert [mail.values["change"] for mail in await people.mails(NoticeKind.FACTOR_CHANGED)] == ["added"]


async def test_identity_of_one_account_is_not_linked_with_another(people: People) -> None:
    ada, bob = await people.member(), await people.member(BOB)
    session = (await people.signed_in()).session
    await federated_identities.link(people.storage, people.vault, session, ada, says(), FROM)
    session = (await people.signed_in(BOB)).session
    with pytest.raises(AccountRefusedError) as error:
        await federated_identities.link(people.storage, people.vault, session, bob, says(), FROM)
    assert error.value.reason is AccountRefusal.LINKED_ELSEWHERE


async def test_session_that_has_ended_links_and_unlinks_nothing(people: People) -> None:
    ada = await people.member()
    session = replace((await people.signed_in()).session, digest=b"ended")
    with pytest.raises(AccountRefusedError):
        await federated_identities.link(people.storage, people.vault, session, ada, says(), FROM)
    with pytest.raises(AccountRefusedError):
        await federated_identities.unlink(people.storage, people.vault, session, ada, ISSUER, FROM)


async def test_link_that_was_removed_opens_nothing(people: People) -> None:
    ada = await people.member()
    session = (await people.signed_in()).session
    await federated_identities.link(people.storage, people.vault, session, ada, says(), FROM)
    await federated_identities.unlink(people.storage, people.vault, session, ada, ISSUER, FROM)
    assert await refused(people, says()) is AccountRefusal.LINK_FIRST
    with pytest.raises(AccountRefusedError) as error:
        await federated_identities.unlink(people.storage, people.vault, session, ada, ISSUER, FROM)
    assert error.value.reason is AccountRefusal.FACTOR_MISSING


async def linked(people: People) -> Session:
    """Ada signed in an hour ago, and has an identity at the provider."""
    ada = await people.member()
    session = (await people.signed_in()).session
    await federated_identities.link(people.storage, people.vault, session, ada, says(), FROM)
    people.clock.us += 3600 * SECOND_US
    return session


async def confirm(
    people: People, session: Session, verified: VerifiedClaims, section: OidcSection = OPEN
) -> StartedSession | AccountRefusal:
    try:
        return await federated_identities.confirm(people.storage, section, session, verified, FROM)
    except AccountRefusedError as error:
        return error.reason


async def test_identity_of_the_account_proves_again_who_it_is(people: People) -> None:
    session = await linked(people)
    proved = await confirm(people, session, says(auth_time=people.clock.us // SECOND_US - 5))
    assert isinstance(proved, StartedSession)
    assert proved.session.id == session.id and proved.session.digest != session.digest
    assert proved.session.reauthenticated_at_us == people.clock.us and not proved.session.second_factor
    [identity] = await people.storage.reading().federated_identities.of_account(session.account_id)
    assert identity.used_at_us == people.clock.us
    assert await confirm(people, session, says(auth_time=people.clock.us // SECOND_US)) is AccountRefusal.SESSION_ENDED


@pytest.mark.parametrize("age_s", [601, 3600, -601, None, "soon", True])
async def test_identity_proves_nothing_unless_its_person_signed_in_just_now(people: People, age_s: Any) -> None:
    """A browser that is signed in at the provider must not be enough for who finds it."""
    session, now_s = await linked(people), people.clock.us // SECOND_US
    signed_in_s = now_s - age_s if type(age_s) is int else age_s
    assert await confirm(people, session, says(auth_time=signed_in_s)) is AccountRefusal.PROVIDER_PROOF_OLD
    kept = await people.storage.reading().sessions.by_digest(session.digest, people.clock.us)
    assert kept is not None and kept.reauthenticated_at_us == session.reauthenticated_at_us
    assert (await people.events(await people.storage.reading().accounts.get(session.account_id)))[0] == "sign_in_failed"


async def test_identity_of_somebody_else_proves_nothing_and_is_linked_with_nothing(people: People) -> None:
    session, now_s = await linked(people), people.clock.us // SECOND_US
    await enter(people, says("bob-1", email=BOB))
    for subject in ("bob-1", "nobody"):
        verified = says(subject, auth_time=now_s)
        assert await confirm(people, session, verified) is AccountRefusal.IDENTITY_UNLINKED
    assert await people.storage.reading().federated_identities.find(ISSUER, "nobody") is None


async def test_identity_that_may_not_sign_in_any_more_proves_nothing(people: People) -> None:
    session, verified = await linked(people), says(auth_time=people.clock.us // SECOND_US, groups=[])
    for section, reason in (
        (replace(OPEN, roles=("staff=member",)), AccountRefusal.ROLE_MISSING),
        (replace(OPEN, allowed_domains=("example.net",)), AccountRefusal.DOMAIN_FORBIDDEN),
    ):
        assert await confirm(people, session, verified, section) is reason


async def test_disabled_account_does_not_enter(people: People) -> None:
    first = await enter(people, says())
    await accounts.disable(people.storage, first.account.public_id)
    assert await refused(people, says()) is AccountRefusal.DISABLED


@pytest.mark.parametrize(
    ("email", "enters"),
    [("ada@example.org", True), ("Ada@example.org", True), ("ada@evil.example", False), ("ada@sub.example.org", False)],
)
async def test_only_addresses_of_the_allowed_domains_enter(people: People, email: str, enters: bool) -> None:
    section = replace(OPEN, allowed_domains=("Example.ORG",))
    if enters:
        assert (await enter(people, says(email=email), section)).account.can_sign_in
    else:
        assert await refused(people, says(email=email), section) is AccountRefusal.DOMAIN_FORBIDDEN


@pytest.mark.parametrize("email", ["ada@example.org,evil", "<b>@example.org", "ada", "ada@example.org\r\nBcc: x"])
async def test_address_that_cannot_be_mailed_makes_no_account(people: People, email: str) -> None:
    assert await refused(people, says(email=email)) is AccountRefusal.EMAIL_UNUSABLE


async def test_claim_of_another_name_may_say_that_the_address_is_verified(people: People) -> None:
    section = replace(OPEN, verified_claim="xms_edov")
    assert await refused(people, says(), section) is AccountRefusal.EMAIL_UNVERIFIED
    assert (await enter(people, says(xms_edov="1"), section)).account.can_sign_in


async def test_claims_decide_the_role_in_the_organisation_at_each_sign_in(people: People, team: User) -> None:
    rules = ("softix-admins=admin", "everybody=viewer")
    section = replace(OPEN, organisation=team.public_id, roles=rules)
    ada = (await enter(people, says(groups=["everybody", "softix-admins"]), section)).account
    assert await role_of(people, ada, team) is OrganisationRole.ADMIN
    await enter(people, says(groups="everybody"), section)
    assert await role_of(people, ada, team) is OrganisationRole.VIEWER
    assert (await people.events(ada))[0] == "role_changed"
    for groups in (None, [], ["others"], "others", 7):
        assert await refused(people, says(groups=groups), section) is AccountRefusal.ROLE_MISSING
    assert len(await people.storage.reading().memberships.of_account(ada.id)) == 1, "no organisation of one beside it"


async def test_owner_stays_an_owner_whatever_the_claims_say(people: People, team: User) -> None:
    section = replace(OPEN, organisation=team.public_id, roles=("boss=owner", "staff=viewer"))
    ada = (await enter(people, says(groups=["boss"]), section)).account
    await enter(people, says(groups=["staff"]), section)
    assert await role_of(people, ada, team) is OrganisationRole.OWNER


async def test_default_role_is_given_once_and_left_as_it_is(people: People, team: User) -> None:
    section = replace(OPEN, organisation=team.public_id, default_role="billing")
    ada = (await enter(people, says(), section)).account
    assert await role_of(people, ada, team) is OrganisationRole.BILLING
    async with people.storage.writing() as unit:
        await unit.memberships.set_role(ada.id, team.id, OrganisationRole.ADMIN)
    await enter(people, says(), section)
    assert await role_of(people, ada, team) is OrganisationRole.ADMIN


async def test_default_role_is_not_given_again_to_a_member_who_was_removed_or_left(people: People, team: User) -> None:
    """A member who was made a viewer left, and had the default role again after the next sign-in."""
    section = replace(OPEN, organisation=team.public_id, default_role="admin")
    ada = (await enter(people, says(), section)).account
    async with people.storage.writing() as unit:
        await unit.memberships.remove(ada.id, team.id)
    assert (await enter(people, says(), section)).account == ada
    assert await role_of(people, ada, team) is None
    ruled = replace(section, roles=("staff=viewer",))
    await enter(people, says(groups=["staff"]), ruled)
    assert await role_of(people, ada, team) is OrganisationRole.VIEWER, "a claim decides each time"


async def test_organisation_that_does_not_exist_is_told_to_the_operator(people: People) -> None:
    with pytest.raises(FailureError) as failed:
        await enter(people, says(), replace(OPEN, organisation="usr_nobody"))
    assert failed.value.remedy
    assert await people.storage.reading().accounts.by_email(ADA) is None


async def test_provider_may_say_that_it_asked_for_several_factors(people: People) -> None:
    assert (await enter(people, says(amr=["pwd", "mfa"]))).proved_factors
    assert not (await enter(people, says(amr="mfa"))).proved_factors
    assert not (await enter(people, says(amr=["pwd"]))).proved_factors


@pytest.mark.parametrize(
    ("name", "shown"), [("Zoë", "Zoë"), ("<b>", "<b>"), (None, "ada"), ("a\nb", "ada"), (7, "ada")]
)
async def test_name_that_cannot_be_shown_is_that_of_the_address(people: People, name: Any, shown: str) -> None:
    assert (await enter(people, says(name=name))).account.display_name == shown
