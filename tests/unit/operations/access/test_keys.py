from typing import Any

import pytest
from support.books import NOW_US, USD, StoppedClock
from support.principals import entered

from softix_proxy.domain.access.keys import KeyLimits, KeyStatus, Spend
from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.access.keys import IssuedKey
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def issue(books: SqliteStorage, maker: Any, **options: Any) -> IssuedKey:
    return await keys.create(books, maker, **{"user": "ada", **options})


async def test_key_after_creation_is_listed_and_shown_with_its_standing(
    books: SqliteStorage, maker: Any, ada: User
) -> None:
    issued = await issue(books, maker, label="ci", models=("gpt-*",), allow_ip=("10.1.2.3/8",), expires_in_us=5)
    key = issued.key
    assert issued.text not in repr(issued) and issued.text.startswith(key.prefix)
    assert (key.user_id, key.models, key.allow_ip, key.expires_at_us) == (
        ada.id,
        ("gpt-*",),
        ("10.0.0.0/8",),
        NOW_US + 5,
    )
    standing = await keys.standing(books, "ci")
    assert (standing.key, standing.user, standing.spend) == (key, ada, Spend())
    assert standing.wallet.user_id == ada.id
    assert await keys.list_all(books) == await keys.list_all(books, "ada") == [key]
    with pytest.raises(NotFoundError):
        await keys.list_all(books, "eve")


async def test_key_of_another_user_is_not_listed(books: SqliteStorage, maker: Any, ada: User) -> None:
    await users.create(books, name="bob", email="bob@example.org", role=UserRole.USER, postpaid=False)
    await issue(books, maker)
    assert await keys.list_all(books, "bob") == []


@pytest.mark.parametrize(
    "options",
    [
        {"label": "x" * 65},
        {"label": "a\nb"},
        {"models": ("a b",)},
        {"models": ("",)},
        {"allow_ip": ("nonsense",)},
        {"limits": KeyLimits(rpm=0)},
        {"limits": KeyLimits(tpm=10**9 + 1)},
        {"limits": KeyLimits(concurrency=-1)},
        {"limits": KeyLimits(cap_pico=-1)},
    ],
)
async def test_key_create_with_bad_options_is_refused(
    books: SqliteStorage, maker: Any, ada: User, options: dict[str, Any]
) -> None:
    with pytest.raises(BadInputError):
        await issue(books, maker, **options)
    assert await keys.list_all(books) == []


async def test_key_update_changes_only_the_given_fields(
    books: SqliteStorage, maker: Any, ada: User, stopped_clock: StoppedClock
) -> None:
    before = (await issue(books, maker, label="ci", limits=KeyLimits(rpm=5, cap_pico=USD))).key
    assert await keys.update(books, "ci") == before
    stopped_clock.us += 10
    changed = await keys.update(books, "ci", limits={"rpm": None, "tpm": 7}, expires_in_us=3)
    assert changed.limits == KeyLimits(tpm=7, cap_pico=USD) and changed.expires_at_us == NOW_US + 13
    assert (await keys.update(books, "ci", never_expires=True)).expires_at_us is None
    assert (await keys.standing(books, "ci")).key.limits == changed.limits
    with pytest.raises(BadInputError):
        await keys.update(books, "ci", limits={"rpm": 0})


async def test_key_rotation_with_or_without_a_grace_ends_the_old_key(
    books: SqliteStorage, maker: Any, ada: User
) -> None:
    old = (await issue(books, maker, label="ci", limits=KeyLimits(rpm=5))).key
    new = await keys.rotate(books, maker, "ci", 0)
    assert new.key.limits == old.limits and new.key.digest != old.digest and new.key.public_id != old.public_id
    assert (await keys.standing(books, old.public_id)).key.status is KeyStatus.REVOKED
    newest = await keys.rotate(books, maker, new.key.public_id, 60)
    ending = (await keys.standing(books, new.key.public_id)).key
    assert (ending.status, ending.expires_at_us) == (KeyStatus.ACTIVE, NOW_US + 60)
    assert newest.key.expires_at_us is None
    with pytest.raises(ConflictError):
        await keys.rotate(books, maker, old.public_id, 0)


async def test_key_rotation_with_a_grace_keeps_the_earlier_expiry(books: SqliteStorage, maker: Any, ada: User) -> None:
    old = (await issue(books, maker, expires_in_us=10)).key
    new = await keys.rotate(books, maker, old.public_id, 60)
    assert (await keys.standing(books, old.public_id)).key.expires_at_us == NOW_US + 10
    assert new.key.expires_at_us == NOW_US + 10


async def test_key_rotation_of_an_expired_key_is_refused(
    books: SqliteStorage, maker: Any, ada: User, stopped_clock: StoppedClock
) -> None:
    old = (await issue(books, maker, expires_in_us=10)).key
    stopped_clock.us += 10
    with pytest.raises(ConflictError) as refused:
        await keys.rotate(books, maker, old.public_id, 0)
    assert old.public_id in refused.value.remedy
    assert await keys.list_all(books) == [old]


async def test_key_after_two_revocations_is_revoked(books: SqliteStorage, maker: Any, ada: User) -> None:
    key = (await issue(books, maker)).key
    for _ in range(2):
        assert (await keys.revoke(books, key.public_id)).status is KeyStatus.REVOKED


async def test_second_revocation_of_a_key_writes_nothing_that_an_audit_would_note(
    books: SqliteStorage, maker: Any, ada: User
) -> None:
    key = (await issue(books, maker)).key
    for _ in range(2):
        await keys.revoke(await entered(books, "keys.revoke"), key.public_id)
    assert [entry.subject for entry in await books.reading().audit.page(None, 9)] == [key.public_id]


async def test_key_as_fields_shows_cap_and_spend_but_not_the_key(books: SqliteStorage, maker: Any, ada: User) -> None:
    issued = await issue(books, maker, limits=KeyLimits(cap_pico=USD // 2, cap_period="day"))
    fields = keys.as_fields(issued.key, ada.public_id)
    assert (fields["cap"], fields["cap_period"], fields["user_id"]) == ("0.50", "day", ada.public_id)
    assert "spent" not in fields and issued.text not in str(fields)
    spent = keys.as_fields(issued.key, ada.public_id, Spend(1, 2, 3, USD, 5, 6))
    assert spent["spent"]["total"] == "1.00" and spent["open_requests"] == 6 and spent["held"] == "0.000000000005"
