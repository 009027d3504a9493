from dataclasses import fields, replace
from inspect import iscoroutinefunction, signature
from types import ModuleType

import pytest
from support.organisation import join
from support.people import ADA, EVE, HOME, OFFICE, TERMS, People, new_password

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.account_tokens import TokenPurpose
from softix_proxy.domain.accounts.accounts import AccountStatus, PolicyAcceptance
from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.core.errors import Code, OverloadedError, RefusedError
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.organisations.organisations import OPERATOR, Actor
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import (
    account_tokens,
    accounts,
    emails,
    password_resets,
    passwords,
    registration,
    sessions,
    sign_in,
    verification,
)
from softix_proxy.operations.accounts.registration import RegistrationForm
from softix_proxy.operations.organisations import invitations


async def acme(people: People) -> None:
    await users.create(people.storage, name="acme", email="acme@example.org", role=UserRole.USER, postpaid=False)


async def invited(people: People, email: str, by: Actor = OPERATOR) -> str:
    """The token of an invitation to acme."""
    await invitations.invite(people.storage, people.vault, "acme", email, OrganisationRole.MEMBER, by)
    link = (await people.mails(NoticeKind.INVITATION))[0].link
    assert link is not None
    return link.removeprefix("/invitations/")


async def organisations_of(people: People) -> list[str]:
    return [user.name for user in await people.storage.reading().users.list()]


async def test_registration_makes_an_account_that_waits_for_its_link_and_touches_no_user(people: People) -> None:
    revision = await people.revision()
    assert await people.register() is None
    account = await people.account()
    assert (account.display_name, account.role, account.verified_at_us) == ("Ada Lovelace", UserRole.USER, None)
    assert account.age_attested_at_us == account.created_at_us == people.clock.us
    assert await people.storage.reading().accounts.acceptances(account.id) == [
        PolicyAcceptance(account.id, TERMS.name, TERMS.version, people.clock.us)
    ]
    [mail] = await people.mails()
    assert (mail.kind, mail.email) == (NoticeKind.VERIFY_EMAIL, ADA)
    assert mail.link is not None and mail.link.startswith("/verify?token=")
    assert await people.events(account) == ["registered"]
    assert await people.storage.reading().users.list() == [] and await people.revision() == revision


def test_registration_form_has_no_field_for_a_role() -> None:
    """LiteLLM#8740, scrob#232: people raised their own role by a field that nobody asked for."""
    assert {field.name for field in fields(RegistrationForm)} == {
        "name",
        "email",
        "password",
        "is_of_age",
        "accepts",
        "invitation",
    }


@pytest.mark.parametrize("module", [emails, password_resets, passwords, registration, sessions, sign_in, verification])
def test_operation_that_takes_what_a_person_sent_takes_no_role(module: ModuleType) -> None:
    operations = [each for each in vars(module).values() if iscoroutinefunction(each)]
    taken = {name for operation in operations for name in signature(operation).parameters}
    assert operations and taken.isdisjoint({"role", "roles", "status", "is_admin"})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "a\nb"}, AccountRefusal.NAME_UNUSABLE),
        ({"email": "ada@example.org,evil"}, AccountRefusal.EMAIL_UNUSABLE),
        ({"email": "mıke@example.org"}, AccountRefusal.EMAIL_UNUSABLE),
        ({"is_of_age": False}, AccountRefusal.TOO_YOUNG),
        ({"accepts": False}, AccountRefusal.POLICIES_NOT_ACCEPTED),
        ({"password": "short"}, AccountRefusal.PASSWORD_TOO_SHORT),
        ({"password": "ada@example.org"}, AccountRefusal.PASSWORD_PERSONAL),
        ({"password": "AdaLovelace"}, AccountRefusal.PASSWORD_PERSONAL),
    ],
)
async def test_registration_without_what_it_needs_is_refused_and_makes_nothing(
    people: People, changes: dict[str, object], reason: AccountRefusal
) -> None:
    with pytest.raises(AccountRefusedError) as refused:
        await people.register(**{"email": ADA, **changes})  # type: ignore[arg-type]
    assert refused.value.reason is reason
    assert await people.storage.reading().accounts.list() == [] and await people.mails() == []


async def test_registration_of_a_guessable_password_is_refused(people: People) -> None:
    people.hasher.scores = 1
    with pytest.raises(AccountRefusedError) as refused:
        await people.register()
    assert refused.value.reason is AccountRefusal.PASSWORD_GUESSABLE and people.hasher.work == []


async def test_registration_is_closed_unless_the_operator_opens_it(people: People) -> None:
    people.portal = PortalSection()
    for invitation in ("", "x" * 43):
        with pytest.raises(AccountRefusedError) as refused:
            await people.register(invitation=invitation)
        assert refused.value.reason is AccountRefusal.REGISTRATION_CLOSED
    assert await people.storage.reading().accounts.list() == []


async def test_registration_by_invitation_takes_only_the_address_that_was_invited(people: People) -> None:
    people.portal = PortalSection(registration="invitation")
    await acme(people)
    invitation = await invited(people, ADA)
    for email, given in ((ADA, ""), (EVE, invitation)):
        with pytest.raises(AccountRefusedError) as refused:
            await people.register(email, invitation=given)
        assert refused.value.reason is AccountRefusal.INVITATION_NEEDED
    with pytest.raises(AccountRefusedError) as refused:
        await people.register(ADA, invitation="x" * 43)
    assert refused.value.reason is AccountRefusal.LINK_ENDED
    made = await people.register("Ada@example.org", invitation=invitation)
    assert made is not None and made.can_sign_in, "the link of the invitation proved the address"
    assert await organisations_of(people) == ["acme"], "the organisation is that of the invitation"
    assert [mail.kind for mail in await people.mails()] == [NoticeKind.INVITATION]
    async with people.storage.writing() as unit:
        await account_tokens.consume(unit, invitation, (TokenPurpose.INVITATION,))  # it was not spent


async def test_registration_by_the_invitation_of_somebody_who_may_not_invite_any_more_is_refused(
    people: People,
) -> None:
    people.portal = PortalSection(registration="invitation")
    await acme(people)
    token = await invited(people, ADA, await join(people.storage, "grace", OrganisationRole.ADMIN, "acme"))
    await accounts.disable(people.storage, "acc_grace")
    with pytest.raises(AccountRefusedError) as refused:
        await people.register(ADA, invitation=token)
    assert refused.value.reason is AccountRefusal.LINK_ENDED
    assert await people.storage.reading().accounts.by_email(ADA) is None


async def test_person_who_registered_by_an_invitation_founds_no_organisation_by_a_reset(people: People) -> None:
    """Where only the invited register, nobody shall get an organisation without an operator."""
    people.portal = PortalSection(registration="invitation")
    await acme(people)
    account = await people.register(ADA, invitation=await invited(people, ADA))
    assert account is not None
    await password_resets.request(people.storage, people.vault, ADA, address=HOME, oidc=OidcSection())
    token = (await people.mails(NoticeKind.RESET_PASSWORD))[0].token
    await password_resets.finish(
        people.storage, people.vault, people.hasher, token, password=new_password(), address=HOME, device="Firefox"
    )
    assert await organisations_of(people) == ["acme"]
    assert await people.storage.reading().memberships.of_account(account.id) == []


async def test_registration_of_a_known_address_answers_the_same_and_does_the_same_work(people: People) -> None:
    """gitverse#1288: the answer, or its time, told who has an account."""
    account = await people.member()
    stored = await people.storage.reading().accounts.password_hash(account.id)
    with people.counted() as known:
        assert await people.register("ADA@example.org", password=new_password()) is None
    with people.counted() as unknown:
        assert await people.register(EVE) is None
    assert known == unknown == ["transaction", "hash", "transaction"]
    assert (await people.mails(email=ADA))[0].kind is NoticeKind.ALREADY_REGISTERED
    assert (await people.mails(NoticeKind.ALREADY_REGISTERED))[0].email == ADA, "the stored address, and not the typed"
    assert await people.account() == account
    assert await people.storage.reading().accounts.password_hash(account.id) == stored


async def test_address_that_two_people_registered_belongs_to_the_one_who_gets_the_mail(people: People) -> None:
    """Pre-hijacking (Sudhodanan and Paverd, 2022): a stranger registers first or last, and waits for a click."""
    stranger, owner = new_password(), new_password()
    for password in (stranger, owner, stranger):
        await people.register(password=password)
    newest, *older = await people.mails(NoticeKind.VERIFY_EMAIL)
    for mail in older:
        with pytest.raises(AccountRefusedError) as refused:
            await verification.look(people.storage, mail.token)
        assert refused.value.reason is AccountRefusal.LINK_ENDED
    chosen = new_password()
    await verification.verify(
        people.storage, people.hasher, newest.token, password=chosen, address=HOME, device="Firefox on Linux"
    )
    for password in (stranger, owner):
        with pytest.raises(AccountRefusedError):
            await people.sign_in(password=password)
    await people.signed_in(password=chosen)


async def test_registration_of_a_disabled_address_changes_nothing_and_mails_nothing(people: People) -> None:
    await people.register()
    await accounts.disable(people.storage, ADA)
    mails = len(await people.mails())
    await people.register(password=new_password())
    account = await people.account()
    assert account.status is AccountStatus.DISABLED and len(await people.mails()) == mails
    assert await people.storage.reading().accounts.password_hash(account.id) == f"new:{people.password}"


async def test_registrations_from_one_network_are_slowed_down(people: People) -> None:
    for number in range(10):
        await people.register(f"p{number}@example.org")
    with pytest.raises(RefusedError) as refused:
        await people.register()
    assert refused.value.code is Code.RATE_LIMITED and refused.value.retry_after_s == 180
    await people.register(address=OFFICE)


async def test_registration_that_finds_the_queue_full_is_refused_before_anything_is_written(people: People) -> None:
    people.hasher.is_full = True
    for _ in range(20):
        with pytest.raises(OverloadedError):
            await people.register()
    people.hasher.is_full = False
    await people.register()


async def test_address_that_is_registered_again_and_again_gets_few_messages(people: People) -> None:
    for number in range(8):
        await people.register(address=f"203.0.113.{number}")
    assert len(await people.mails()) == 3


async def test_registration_keeps_no_text_of_the_form_in_what_it_shows_of_itself() -> None:
    form = RegistrationForm("Ada", ADA, new_password(), True, True, "token")
    assert repr(form) == "RegistrationForm(is_of_age=True, accepts=True)"
    assert replace(form, is_of_age=False) != form
