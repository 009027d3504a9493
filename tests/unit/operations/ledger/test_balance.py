import pytest
from support.books import USD

from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.operations.access import users
from softix_proxy.operations.ledger import balance
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def posted_pico(books: SqliteStorage) -> int:
    return (await balance.show(books, "ada")).posted_pico


async def test_balance_add_with_a_repeated_reference_counts_once(books: SqliteStorage, ada: User) -> None:
    assert await balance.add(books, "ada@example.org", 5 * USD, reference="pay-1", note="invoice")
    assert not await balance.add(books, "ada@example.org", 5 * USD, reference="pay-1", note="another note")
    assert await balance.add(books, "ada@example.org", 5 * USD) and await balance.add(books, ada.public_id, 5 * USD)
    assert await posted_pico(books) == 15 * USD


async def test_balance_add_with_a_reference_of_another_payment_is_refused(books: SqliteStorage, ada: User) -> None:
    await users.create(books, name="bob", email="bob@example.org", role=UserRole.USER, postpaid=False)
    await balance.add(books, "ada@example.org", USD, reference="pay-1")
    for user, amount_pico in (("ada@example.org", 2 * USD), ("bob@example.org", USD)):
        with pytest.raises(ConflictError, match=r"of \$1\.00"):
            await balance.add(books, user, amount_pico, reference="pay-1")


@pytest.mark.parametrize("amount_pico", [0, -1])
async def test_balance_add_without_a_positive_amount_is_refused(
    books: SqliteStorage, ada: User, amount_pico: int
) -> None:
    with pytest.raises(BadInputError):
        await balance.add(books, "ada@example.org", amount_pico)


@pytest.mark.parametrize("text", ["", "x" * 201, "a\nb"])
async def test_balance_add_with_a_bad_note_or_reference_is_refused(books: SqliteStorage, ada: User, text: str) -> None:
    for options in ({"note": text}, {"reference": text}):
        with pytest.raises(BadInputError):
            await balance.add(books, "ada@example.org", USD, **options)
    assert await posted_pico(books) == 0


async def test_balance_set_posts_the_difference(books: SqliteStorage, ada: User) -> None:
    assert [await balance.set_to(books, "ada@example.org", pico) for pico in (7, 7, -3)] == [7, 0, -10]
    history = await balance.history(books, "ada", 10)
    assert [(entry.kind, entry.amount_pico, entry.balance_pico) for entry in history] == [
        ("adjustment", -10, -3),
        ("adjustment", 7, 7),
    ]


async def test_balance_set_with_a_difference_that_is_too_large_is_refused(books: SqliteStorage, ada: User) -> None:
    await balance.set_to(books, "ada@example.org", MAX_PICO)
    with pytest.raises(BadInputError, match="too large"):
        await balance.set_to(books, "ada@example.org", -MAX_PICO)
    assert await posted_pico(books) == MAX_PICO


async def test_credit_limit_raises_the_available_amount_and_is_not_negative(books: SqliteStorage, ada: User) -> None:
    assert (await balance.set_credit_limit(books, "ada@example.org", 9)).available_pico == 9
    with pytest.raises(BadInputError):
        await balance.set_credit_limit(books, "ada@example.org", -1)


async def test_balance_commands_for_an_unknown_user_are_refused(books: SqliteStorage) -> None:
    for verb in (
        balance.show(books, "eve"),
        balance.add(books, "eve@example.org", 1),
        balance.set_to(books, "eve@example.org", 1),
        balance.history(books, "eve", 1),
        balance.set_credit_limit(books, "eve@example.org", 1),
    ):
        with pytest.raises(NotFoundError):
            await verb


async def test_balance_adjust_posts_a_difference_of_either_sign(books: SqliteStorage, ada: User) -> None:
    assert await balance.adjust(books, ada.public_id, 7, note="goodwill")
    assert await balance.adjust(books, ada.public_id, -10, note="taken back", reference="adj-1")
    history = await balance.history(books, "ada", 10)
    assert [(entry.kind, entry.amount_pico, entry.note, entry.reference) for entry in history] == [
        ("adjustment", -10, "taken back", "adj-1"),
        ("adjustment", 7, "goodwill", None),
    ]
    assert (await balance.of_users(books, [ada.id]))[ada.id].posted_pico == -3


async def test_balance_adjust_with_a_repeated_reference_counts_once(books: SqliteStorage, ada: User) -> None:
    assert await balance.adjust(books, ada.public_id, -5, note="a", reference="adj-1")
    assert not await balance.adjust(books, ada.public_id, -5, note="another", reference="adj-1")
    assert await posted_pico(books) == -5


async def test_balance_adjust_with_the_reference_of_another_posting_is_refused(books: SqliteStorage, ada: User) -> None:
    await users.create(books, name="bob", email="bob@example.org", role=UserRole.USER, postpaid=False)
    await balance.adjust(books, ada.public_id, 5, note="a", reference="adj-1")
    await balance.add(books, ada.public_id, 5, reference="pay-1")
    for user, amount_pico, reference in (
        ("ada@example.org", -5, "adj-1"),
        ("ada@example.org", 6, "adj-1"),
        ("bob@example.org", 5, "adj-1"),
        ("ada@example.org", 5, "pay-1"),
    ):
        with pytest.raises(ConflictError):
            await balance.adjust(books, user, amount_pico, note="b", reference=reference)
    with pytest.raises(ConflictError):
        await balance.add(books, ada.public_id, 5, reference="adj-1")


async def test_balance_adjust_without_a_difference_or_by_a_name_is_refused(books: SqliteStorage, ada: User) -> None:
    for user, amount_pico in ((ada.public_id, 0), ("ada", 5)):
        with pytest.raises(BadInputError):
            await balance.adjust(books, user, amount_pico, note="x")
