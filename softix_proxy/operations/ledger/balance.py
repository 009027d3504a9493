"""The operations that an operator can run on balances. Every change is a transfer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from softix_proxy.domain.core.errors import BadInputError, ConflictError
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.ledger.balance import Wallet, WalletEntry
from softix_proxy.domain.ledger.ledger import ADJUSTMENTS, CASH, Transfer
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.access import users
from softix_proxy.operations.notices import paid_invoices

_MAX_TEXT = 200


async def show(storage: Storage, user: str) -> Wallet:
    unit = storage.reading()
    return await unit.balance.get((await users.find(unit, user)).id)


async def of_users(storage: Storage, user_ids: Sequence[int]) -> Mapping[int, Wallet]:
    """Returns the wallets of these users by their numbers."""
    unit = storage.reading()
    return {user_id: await unit.balance.get(user_id) for user_id in user_ids}


async def add(
    storage: Storage, user: str, amount_pico: int, *, note: str | None = None, reference: str | None = None
) -> bool:
    """Adds money to a balance. With a reference it counts once: returns False if it was added before.

    Raises BadInputError for an amount that is not positive, and ConflictError if another posting has the reference.
    """
    if amount_pico <= 0:
        raise BadInputError("only a positive amount can be added", f"to lower it: softix balance set {user} AMOUNT")
    async with storage.writing() as unit:
        owner = await users.find_payer(unit, user)
        is_new = await _post_once(
            unit, Transfer(0, CASH, owner.id, amount_pico, "top-up", _checked(reference), _checked(note))
        )
        if is_new:
            await paid_invoices.tell(unit, owner.id, reference, amount_pico)
        return is_new


async def adjust(storage: Storage, user: str, difference_pico: int, *, note: str, reference: str | None = None) -> bool:
    """Posts a difference of either sign as an adjustment. With a reference it counts once, as for `add`.

    The balance may go below zero. Raises BadInputError for a difference of 0, and ConflictError as `add` does.
    """
    if not difference_pico:
        raise BadInputError("a difference of 0 changes nothing", "give the amount by which the balance is to change")
    async with storage.writing() as unit:
        owner = await users.find_payer(unit, user)
        from_account, to_account = (ADJUSTMENTS, owner.id) if difference_pico > 0 else (owner.id, ADJUSTMENTS)
        return await _post_once(
            unit,
            Transfer(
                0, from_account, to_account, abs(difference_pico), "adjustment", _checked(reference), _checked(note)
            ),
        )


async def _post_once(unit: Unit, wanted: Transfer) -> bool:
    """Posts the transfer, unless one of its reference was posted before. Returns whether it was posted now.

    Raises ConflictError if the earlier one is another, or if the reference names a payment that credits itself.
    """
    reference = wanted.reference
    if reference and await unit.payments.find(reference.partition(":")[0]):
        raise ConflictError(
            f"{reference!r} names a payment by Stripe, which is credited by itself", "run: softix payments sweep"
        )
    known = await unit.ledger.by_reference(reference) if reference else None
    if known is None:
        await unit.ledger.post(wanted)
        return True
    same = (known.from_account, known.to_account, known.amount_pico, known.kind)
    if same != (wanted.from_account, wanted.to_account, wanted.amount_pico, wanted.kind):
        raise ConflictError(
            f"the reference {reference!r} is that of another posting, of ${format_usd(known.amount_pico)}",
            "give this one its own reference",
        )
    return False


async def set_to(storage: Storage, user: str, amount_pico: int, *, note: str | None = None) -> int:
    """Posts the difference as an adjustment, and returns it in pico-USD. Open holds stay as they are."""
    async with storage.writing() as unit:
        owner = await users.find_payer(unit, user)
        difference_pico = amount_pico - (await unit.balance.get(owner.id)).posted_pico
        if difference_pico:
            from_account, to_account = (ADJUSTMENTS, owner.id) if difference_pico > 0 else (owner.id, ADJUSTMENTS)
            await unit.ledger.post(
                Transfer(0, from_account, to_account, abs(difference_pico), "adjustment", None, _checked(note))
            )
        return difference_pico


async def history(storage: Storage, user: str, limit: int) -> Sequence[WalletEntry]:
    """Returns the wallet's entries, the newest first."""
    async with storage.snapshot() as unit:
        return await unit.balance.history((await users.find(unit, user)).id, limit)


async def set_credit_limit(storage: Storage, user: str, credit_pico: int) -> Wallet:
    """Sets how far the balance may go below zero."""
    if credit_pico < 0:
        raise BadInputError("a credit limit is not negative", "0 means that nothing may be owed")
    async with storage.writing() as unit:
        owner = await users.find_payer(unit, user)
        await unit.balance.set_credit(owner.id, credit_pico)
        return await unit.balance.get(owner.id)


def _checked(text: str | None) -> str | None:
    if text is not None and not (0 < len(text) <= _MAX_TEXT and text.isprintable()):
        raise BadInputError("a note or reference is one line of 1 to 200 characters", "shorten it")
    return text
