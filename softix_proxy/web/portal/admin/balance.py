"""The pages of a user's balance: its postings, and a change, which is shown before it is made and made once."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from softix_proxy.domain.access.users import User
from softix_proxy.domain.core.errors import BadInputError, OperatorError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.ledger.balance import Wallet
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.operations.access import users
from softix_proxy.operations.ledger import balance
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.faults import ShownFault, shown_fault
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.core.typed import typed_usd

_POSTINGS = 100
_TOKEN_KIND = "adm"  # noqa: S105 # the first letters of an id, which is no secret
_TOKEN = re.compile(rf"{_TOKEN_KIND}_[0-9a-z]{{16}}")


class AskedChange(NamedTuple):
    """A change of a balance, as the form has it."""

    kind: str
    amount_pico: int
    reason: str
    token: str
    """The reference of the posting. The form is made with it, so that a form that is sent twice posts once."""


_Operation = Callable[[Storage, str, AskedChange], Awaitable[bool]]


class _ChangeKind(NamedTuple):
    operation: str
    run: _Operation
    moves: bool
    """Whether it moves the balance by the amount. Otherwise it sets how far the balance may go below zero."""


async def _add(storage: Storage, user: str, asked: AskedChange) -> bool:
    return await balance.add(storage, user, asked.amount_pico, note=asked.reason, reference=asked.token)


async def _adjust(storage: Storage, user: str, asked: AskedChange) -> bool:
    return await balance.adjust(storage, user, asked.amount_pico, note=asked.reason, reference=asked.token)


async def _set_credit(storage: Storage, user: str, asked: AskedChange) -> bool:
    await balance.set_credit_limit(storage, user, asked.amount_pico)
    return True


KINDS: Mapping[str, _ChangeKind] = {
    "add": _ChangeKind("balance.add", _add, moves=True),
    "adjust": _ChangeKind("balance.adjust", _adjust, moves=True),
    "credit_limit": _ChangeKind("balance.credit-limit", _set_credit, moves=False),
}


async def balance_page(request: PageRequest) -> Answer:
    """Shows the balance and the newest postings."""
    user = await users.show_id(request.storage, request.parts["id"])
    wallet = await balance.show(request.storage, user.public_id)
    entries = await balance.history(request.storage, user.public_id, _POSTINGS)
    return admin_page(request, "admin_balance", user=user, wallet=wallet, entries=entries)


async def change_page(request: PageRequest) -> Answer:
    """Shows the form of a change."""
    return await _form(request)


async def confirm_page(request: PageRequest) -> Answer:
    """Shows the balance before and after the change. The operation checks it in a rehearsal that posts nothing."""
    user = await users.show_id(request.storage, request.parts["id"])
    try:
        asked = _asked(request)
        kind = KINDS[asked.kind]
        await kind.run((await request.door.enter(kind.operation)).rehearsal(), user.public_id, asked)
    except OperatorError as error:
        return await _form(request, shown_fault(error, "balance"))
    wallet = await balance.show(request.storage, user.public_id)
    return admin_page(
        request,
        "admin_balance_confirm",
        user=user,
        asked=asked,
        moves=KINDS[asked.kind].moves,
        wallet=wallet,
        after_pico=_after_pico(wallet, asked),
        given=request.form,
    )


async def change(request: PageRequest) -> Answer:
    """Makes the change. A form that comes again changes nothing more."""
    user = await users.show_id(request.storage, request.parts["id"])
    try:
        asked = _asked(request)
        kind = KINDS[asked.kind]
        done = await kind.run(await request.door.enter(kind.operation), user.public_id, asked)
    except OperatorError as error:
        return await _form(request, shown_fault(error, "balance"))
    return SeeOther(f"/admin/users/{user.public_id}/balance", "flash.posted" if done else "flash.posted_before")


def _after_pico(wallet: Wallet, asked: AskedChange) -> int:
    return wallet.posted_pico + asked.amount_pico if KINDS[asked.kind].moves else asked.amount_pico


def _asked(request: PageRequest) -> AskedChange:
    """Reads the form. Raises BadInputError."""
    form = request.form
    kind, token, reason = form.get("kind", ""), form.get("token", ""), form.get("reason", "").strip()
    if kind not in KINDS:
        raise BadInputError("no kind of change was chosen", "choose one")
    if _TOKEN.fullmatch(token) is None:
        raise BadInputError("the form is not complete", "open it anew")
    amount_pico = typed_usd(form.get("amount", ""))
    if not reason and KINDS[kind].moves:
        raise BadInputError("a change of a balance needs a reason", "state it in one line")
    return AskedChange(kind, amount_pico, reason, token)


async def _form(request: PageRequest, fault: ShownFault | None = None) -> Page:
    user: User = await users.show_id(request.storage, request.parts["id"])
    wallet = await balance.show(request.storage, user.public_id)
    token = request.form.get("token", "") if fault else ""
    given = {"kind": "add", "amount": "", "reason": "", **request.form}
    given["token"] = token if _TOKEN.fullmatch(token) else new_public_id(_TOKEN_KIND)
    return admin_page(
        request, "admin_balance_change", fault=fault, user=user, wallet=wallet, given=given, kinds=list(KINDS)
    )
