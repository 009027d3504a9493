from dataclasses import replace

import pytest
from support.engines import Books

from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.federated_identities import FederatedIdentity
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.ports.storage import Storage

ISSUER = "https://login.example.org"


@pytest.fixture
def storage(empty_books: Books) -> Storage:
    return empty_books.storage


async def account(storage: Storage, name: str) -> Account:
    async with storage.writing() as unit:
        made = Account(0, f"acc_{name}", f"{name}@example.org", name, UserRole.USER, AccountStatus.ACTIVE, 1)
        return await unit.accounts.add(made)


async def test_identity_belongs_to_one_account(storage: Storage) -> None:
    ada, bob = await account(storage, "ada"), await account(storage, "bob")
    made = FederatedIdentity(issuer=ISSUER, subject="1", account_id=ada.id, created_at_us=2)
    async with storage.writing() as unit:
        await unit.federated_identities.add(made)
        for other in (made, replace(made, account_id=bob.id)):
            with pytest.raises(ConflictError):
                await unit.federated_identities.add(other)
        await unit.federated_identities.add(replace(made, subject="2", account_id=bob.id))
    unit = storage.reading()
    assert await unit.federated_identities.find(ISSUER, "1") == made
    assert await unit.federated_identities.find(f"{ISSUER}/", "1") is None
    assert await unit.federated_identities.of_account(ada.id) == [made]


async def test_identity_is_used_and_removed(storage: Storage) -> None:
    ada = await account(storage, "ada")
    made = FederatedIdentity(issuer=ISSUER, subject="1", account_id=ada.id, created_at_us=2)
    async with storage.writing() as unit:
        await unit.federated_identities.add(made)
        await unit.federated_identities.use(made, 5)
        assert await unit.federated_identities.find(ISSUER, "1") == replace(made, used_at_us=5)
        assert not await unit.federated_identities.remove(ada.id + 1, ISSUER)
        assert await unit.federated_identities.remove(ada.id, ISSUER)
        assert not await unit.federated_identities.remove(ada.id, ISSUER)
