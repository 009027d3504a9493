from dataclasses import replace

import pytest
from support.engines import Books

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.account_tokens import AccountToken, TokenPurpose
from softix_proxy.domain.accounts.accounts import Account, AccountStatus, PolicyAcceptance
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.ports.storage import Storage

ADA = Account(
    id=0,
    public_id="acc_ada",
    email="Ada@example.org",
    display_name="Ada Lovelace 👩‍💻",
    role=UserRole.USER,
    status=AccountStatus.ACTIVE,
    created_at_us=7,
    verified_at_us=8,
    age_attested_at_us=9,
)


async def add(storage: Storage, **changes: object) -> Account:
    async with storage.writing() as unit:
        return await unit.accounts.add(replace(ADA, **changes))  # type: ignore[arg-type]


async def test_added_account_is_found_by_id_and_by_its_address_in_any_case(storage: Storage) -> None:
    added = await add(storage)
    unit = storage.reading()
    assert added == replace(ADA, id=added.id) and added.id > 0
    assert await unit.accounts.get(added.id) == added and await unit.accounts.list() == [added]
    for reference in ("acc_ada", "ada@example.org", "ADA@EXAMPLE.ORG"):
        assert await unit.accounts.find(reference) == added
    assert await unit.accounts.by_email("ada@EXAMPLE.ORG") == added
    for unknown in ("acc_eve", "eve@example.org", "Ada Lovelace 👩‍💻"):
        assert await unit.accounts.find(unknown) is None
    with pytest.raises(NotFoundError):
        await unit.accounts.get(added.id + 1)


async def test_account_address_is_kept_as_it_was_verified(storage: Storage) -> None:
    """Mail goes to the stored text and never to what was typed (CVE-2019-19844)."""
    await add(storage)
    found = await storage.reading().accounts.by_email("ada@example.org")
    assert found is not None and found.email == "Ada@example.org"


async def test_account_with_an_address_that_is_taken_in_another_case_is_refused_without_a_quote(
    storage: Storage,
) -> None:
    await add(storage)
    with pytest.raises(ConflictError) as refused:
        await add(storage, public_id="acc_two", email="aDA@example.org")
    assert "example" not in f"{refused.value.message} {refused.value.remedy}".casefold()
    bob = await add(storage, public_id="acc_bob", email="bob@example.org")
    async with storage.writing() as unit:
        with pytest.raises(ConflictError):
            await unit.accounts.update(replace(bob, email="ADA@example.org"))


async def test_account_update_writes_every_column_that_may_change(storage: Storage) -> None:
    added = await add(storage)
    changed = replace(
        added,
        email="a@example.net",
        display_name="O’Brien",
        role=UserRole.AUDITOR,
        status=AccountStatus.DISABLED,
        verified_at_us=None,
        age_attested_at_us=None,
    )
    async with storage.writing() as unit:
        await unit.accounts.update(changed)
    assert await storage.reading().accounts.get(added.id) == changed
    assert await storage.reading().accounts.by_email("ada@example.org") is None


async def test_account_password_hash_is_read_apart_and_kept_by_an_update(storage: Storage) -> None:
    added = await add(storage)
    assert await storage.reading().accounts.password_hash(added.id) is None
    async with storage.writing() as unit:
        await unit.accounts.set_password_hash(added.id, "$argon2id$…")
        await unit.accounts.update(replace(added, display_name="Ada L."))
    assert await storage.reading().accounts.password_hash(added.id) == "$argon2id$…"
    assert await storage.reading().accounts.password_hash(added.id + 1) is None
    async with storage.writing() as unit:
        await unit.accounts.set_password_hash(added.id, None)
    assert await storage.reading().accounts.password_hash(added.id) is None


async def test_account_acceptances_of_a_policy_are_kept_once_for_each_version(storage: Storage) -> None:
    added = await add(storage)
    first = PolicyAcceptance(added.id, "terms", "2026-11-01", 10)
    later = PolicyAcceptance(added.id, "terms", "2027-01-01", 20)
    async with storage.writing() as unit:
        await unit.accounts.accept(later)
        await unit.accounts.accept(first)
        await unit.accounts.accept(replace(first, accepted_at_us=30))
    assert await storage.reading().accounts.acceptances(added.id) == [first, later]
    assert await storage.reading().accounts.acceptances(added.id + 1) == []


async def test_account_written_in_any_way_leaves_the_directory_as_it_is(empty_books: Books) -> None:
    """Each change of `users` or `keys` makes every daemon reload, and people sign in all day."""
    storage = empty_books.storage
    revision = (await storage.changes(0)).revision
    added = await add(storage)
    async with storage.writing() as unit:
        await unit.accounts.update(replace(added, display_name="Ada L."))
        await unit.accounts.set_password_hash(added.id, "hash")
        await unit.accounts.accept(PolicyAcceptance(added.id, "terms", "1", 10))
    assert (await storage.changes(0)).revision == revision


async def test_people_who_never_proved_their_address_are_purged_with_what_is_kept_for_them(books: Books) -> None:
    storage = books.storage
    unproved = {"verified_at_us": None, "created_at_us": 100}
    gone = await add(storage, public_id="acc_gone", email="gone@example.org", **unproved)
    member = await add(storage, public_id="acc_member", email="member@example.org", **unproved)
    by_operator = await add(
        storage, public_id="acc_made", email="made@example.org", age_attested_at_us=None, **unproved
    )
    proved = await add(storage)
    async with storage.writing() as unit:
        await unit.memberships.add(Membership(member.id, 1, OrganisationRole.VIEWER, 1))
        await unit.accounts.accept(PolicyAcceptance(gone.id, "terms", "1", 10))
        await unit.account_tokens.add(AccountToken(b"t", TokenPurpose.VERIFY_EMAIL, gone.id, gone.email, 1, 2))
        assert await unit.accounts.purge_unverified(100, 9) == 0
        assert await unit.accounts.purge_unverified(101, 9) == 0, "a link may still be opened"
        await unit.account_tokens.purge(2, 9)
        assert await unit.accounts.purge_unverified(101, 9) == 1
    assert await storage.reading().accounts.list() == [member, by_operator, proved]


async def test_accounts_pages_find_by_text_and_are_the_newest_first(storage: Storage) -> None:
    ada = await add(storage)
    eve = await add(storage, public_id="acc_eve", email="eve@example.net", display_name="Eve", role=UserRole.ADMIN)
    accounts = storage.reading().accounts
    assert await accounts.page("", None, 9) == [eve, ada] and await accounts.page("", eve.id, 9) == [ada]
    for text in ("acc_ada", "ADA@example", "lovelace"):
        assert await accounts.page(text, None, 9) == [ada]
    assert await accounts.page("%", None, 9) == []
