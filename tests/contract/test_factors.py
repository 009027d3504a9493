import asyncio
import secrets
from dataclasses import replace
from typing import Any

import pytest
from support.engines import Books

from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.factors import Factors, Passkey, TotpFactor
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.ports.storage import Storage


@pytest.fixture
def storage(empty_books: Books) -> Storage:
    return empty_books.storage


@pytest.fixture
async def ada(storage: Storage) -> Account:
    async with storage.writing() as unit:
        made = Account(0, "acc_ada", "ada@example.org", "Ada", UserRole.USER, AccountStatus.ACTIVE, 1)
        return await unit.accounts.add(made)


def totp(account: Account, **changes: Any) -> TotpFactor:
    made = TotpFactor(account_id=account.id, sealed_secret=secrets.token_bytes(9), last_step=7, created_at_us=2)
    return replace(made, **changes)


def passkey(account: Account, **changes: Any) -> Passkey:
    made = Passkey(
        id=0,
        public_id="pky_one",
        account_id=account.id,
        credential_id=secrets.token_bytes(9),
        public_key=secrets.token_bytes(9),
        sign_count=3,
        label="phone",
        created_at_us=2,
    )
    return replace(made, **changes)


async def found(storage: Storage, account: Account) -> Factors:
    return await storage.reading().factors.of_account(account.id)


async def test_new_account_has_no_factor(storage: Storage, ada: Account) -> None:
    assert await found(storage, ada) == Factors(None, (), 0)


async def test_second_authenticator_app_takes_the_place_of_the_first(storage: Storage, ada: Account) -> None:
    for made in (totp(ada), totp(ada, last_step=9, used_at_us=4)):
        async with storage.writing() as unit:
            await unit.factors.set_totp(made)
        assert (await found(storage, ada)).totp == made
    async with storage.writing() as unit:
        assert await unit.factors.remove_totp(ada.id)
        assert not await unit.factors.remove_totp(ada.id)
    assert (await found(storage, ada)).totp is None


async def test_time_step_is_used_once_and_no_earlier_one_after_it(storage: Storage, ada: Account) -> None:
    async with storage.writing() as unit:
        await unit.factors.set_totp(totp(ada))
        used = [await unit.factors.use_totp_step(ada.id, step, step) for step in (7, 6, 8, 8, 7, 10, 9)]
    assert used == [False, False, True, False, False, True, False]
    kept = (await found(storage, ada)).totp
    assert kept is not None and (kept.last_step, kept.used_at_us) == (10, 10)


async def test_time_step_that_many_give_at_once_is_used_by_one(storage: Storage, ada: Account) -> None:
    async with storage.writing() as unit:
        await unit.factors.set_totp(totp(ada))

    async def use() -> bool:
        async with storage.writing() as unit:
            return await unit.factors.use_totp_step(ada.id, 8, 1)

    assert sorted(await asyncio.gather(*(use() for _ in range(8)))) == [False] * 7 + [True]


async def test_sealed_secret_is_replaced_only_if_it_is_the_known_one(storage: Storage, ada: Account) -> None:
    made = totp(ada)
    async with storage.writing() as unit:
        await unit.factors.set_totp(made)
        assert not await unit.factors.reseal_totp(ada.id, b"another", b"new")
        assert await unit.factors.reseal_totp(ada.id, made.sealed_secret, b"new")
    assert await storage.reading().factors.list_totp() == [replace(made, sealed_secret=b"new")]


async def test_passkey_is_found_by_its_credential_and_removed_by_its_owner_only(storage: Storage, ada: Account) -> None:
    async with storage.writing() as unit:
        made = await unit.factors.add_passkey(passkey(ada))
        with pytest.raises(ConflictError):
            await unit.factors.add_passkey(replace(made, public_id="pky_two"))
    assert await storage.reading().factors.passkey(made.credential_id) == made
    assert await storage.reading().factors.passkey(b"another") is None
    assert (await found(storage, ada)).passkeys == (made,)
    async with storage.writing() as unit:
        assert not await unit.factors.remove_passkey(ada.id + 1, made.public_id)
        assert await unit.factors.remove_passkey(ada.id, made.public_id)
    assert (await found(storage, ada)).passkeys == ()


@pytest.mark.parametrize(
    ("before", "after", "is_used"),
    [(3, 4, True), (3, 3, False), (3, 2, False), (3, 0, False), (0, 0, True), (0, 1, True)],
)
async def test_passkey_is_used_if_its_count_grows_or_is_always_zero(
    storage: Storage, ada: Account, before: int, after: int, is_used: bool
) -> None:
    async with storage.writing() as unit:
        made = await unit.factors.add_passkey(passkey(ada, sign_count=before))
        assert await unit.factors.use_passkey(made.id, after, 5) is is_used
    kept = (await found(storage, ada)).passkeys[0]
    assert (kept.sign_count, kept.used_at_us) == ((after, 5) if is_used else (before, None))


async def test_recovery_code_works_once_and_ends_with_new_ones(storage: Storage, ada: Account) -> None:
    async with storage.writing() as unit:
        await unit.factors.set_recovery_codes(ada.id, [b"a", b"b"], 1)
        used = [await unit.factors.use_recovery_code(ada.id, digest) for digest in (b"a", b"a", b"c")]
        assert not await unit.factors.use_recovery_code(ada.id + 1, b"b")
    assert used == [True, False, False] and (await found(storage, ada)).recovery_codes == 1
    async with storage.writing() as unit:
        await unit.factors.set_recovery_codes(ada.id, [b"c", b"d"], 2)
        assert not await unit.factors.use_recovery_code(ada.id, b"b")
    assert (await found(storage, ada)).recovery_codes == 2


async def test_removal_of_all_factors_leaves_nothing(storage: Storage, ada: Account) -> None:
    async with storage.writing() as unit:
        await unit.factors.set_totp(totp(ada))
        await unit.factors.add_passkey(passkey(ada))
        await unit.factors.set_recovery_codes(ada.id, [b"a"], 1)
        await unit.factors.remove_all(ada.id)
    assert await found(storage, ada) == Factors(None, (), 0)


async def test_change_of_factors_leaves_the_directory_as_it_is(storage: Storage, ada: Account) -> None:
    before = (await storage.changes(0)).revision
    async with storage.writing() as unit:
        await unit.factors.set_totp(totp(ada))
        await unit.factors.add_passkey(passkey(ada))
        await unit.factors.use_totp_step(ada.id, 9, 1)
    assert (await storage.changes(0)).revision == before
