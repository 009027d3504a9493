"""Stripe's keys: sealed in the database, and bound to what they are for and to the address to which they are sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.domain.ledger.payments import PaymentState
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.core.bound_secret import BoundSecret
from softix_proxy.operations.ledger import payment_sweeps

_SECRET_KEY, _WEBHOOK = "sealed_stripe_key", "sealed_stripe_webhook_secret"  # these are names of rows
_BASE = "stripe_api_base"
_ACCOUNT = {True: "stripe_account_live", False: "stripe_account_test"}
"""Live mode → the name of the row that has the id of the account of its keys."""
STRIPE = "https://api.stripe.com"
SECRETS = tuple(BoundSecret(name, _BASE, name, STRIPE) for name in (_SECRET_KEY, _WEBHOOK))
_KEY = re.compile(r"[sr]k_(?:test|live)_[A-Za-z0-9]{16,255}", re.ASCII)
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{24,255}", re.ASCII)
"""Stripe's have 32 characters after `whsec_`; one with less than 24 was made up or cut off."""
_SET_UP = "run: softix payments setup"


@dataclass(frozen=True, slots=True)
class PaymentKeys:
    """The keys. Neither is in any repr."""

    secret_key: str = field(repr=False)
    webhook_secret: str | None = field(repr=False)
    """None as long as there is no webhook. Payments are then found by the sweep only."""

    @property
    def is_live(self) -> bool:
        return is_live_key(self.secret_key)


def is_live_key(secret_key: str) -> bool:
    """Decides by the key's prefix: `sk_live_` and `rk_live_` are of the live mode."""
    return secret_key.startswith(("sk_live_", "rk_live_"))


def is_restricted_key(secret_key: str) -> bool:
    """Decides by the key's prefix. Stripe tells a restricted key less, and there is no right to look up the account."""
    return secret_key.startswith("rk_")


def is_webhook_secret(text: str | None) -> bool:
    """Decides whether a text can be the secret of an endpoint. An empty or a short one protects nothing."""
    return text is not None and _WEBHOOK_SECRET.fullmatch(text) is not None


def checked_key(text: str) -> str:
    """Returns Stripe's secret or restricted key. Raises BadInputError without quoting it."""
    if not _KEY.fullmatch(text):
        raise BadInputError(
            "not a secret key of Stripe", "copy it from Developers → API keys; it begins with sk_test_, sk_live_ or rk_"
        )
    return text


def checked_webhook_secret(text: str) -> str:
    """Returns the secret of a webhook endpoint. Raises BadInputError for an empty or short one, without quoting it."""
    if not is_webhook_secret(text):
        raise BadInputError(
            "not the secret of a webhook endpoint", "copy it from Developers → Webhooks; it begins with whsec_"
        )
    return text


def _place(name: str, base: str) -> tuple[str, ...]:
    return ("instance", name, base)


async def store(
    storage: Storage,
    vault: Vault,
    *,
    secret_key: str | None = None,
    webhook_secret: str | None = None,
    api_base: str | None = None,
    account_id: str = "",
) -> int | None:
    """Seals the keys that are given, for this address of Stripe's API. Raises BadInputError.

    A key of another mode ends the webhook's secret, because each mode has endpoints of its own. A key of another
    account also ends what only the earlier account has: the customers, and the payments that are not finished.
    Returns how many payments it ended, or None if the account is not another one.
    """
    given = {
        _SECRET_KEY: checked_key(secret_key) if secret_key is not None else None,
        _WEBHOOK: checked_webhook_secret(webhook_secret) if webhook_secret is not None else None,
    }
    ended = None
    async with storage.writing() as unit:
        base = api_base or STRIPE
        if secret_key is not None:
            is_live = is_live_key(secret_key)
            await _forget_other(unit, vault, secret_key, base)
            if await other_account(unit, account_id, is_live=is_live):
                ended = await _forget_account(unit, is_live)
            if account_id:
                await unit.instance.set(_ACCOUNT[is_live], account_id.encode())
            await unit.instance.set(_BASE, base.encode())
        for name, text in given.items():
            if text is not None:
                await unit.instance.set(name, vault.seal_secret(text, *_place(name, base)))
    return ended


async def _forget_other(unit: Unit, vault: Vault, secret_key: str, base: str) -> None:
    """Ends the webhook's secret if it is of another mode or address."""
    try:
        before = await _stored(unit, vault, _SECRET_KEY, base)
    except FailureError:
        before = None
    if before is None or is_live_key(before) is not is_live_key(secret_key):
        await unit.instance.set(_WEBHOOK, b"")


async def other_account(unit: Unit, account_id: str, *, is_live: bool) -> str | None:
    """Returns the id of the account of the earlier keys of this mode, if it is known and another one."""
    known = (await unit.instance.get(_ACCOUNT[is_live]) or b"").decode()
    return known if known and account_id and known != account_id else None


async def _forget_account(unit: Unit, is_live: bool) -> int:
    """Ends what only the earlier account of this mode has. Returns how many payments were not finished."""
    await unit.instance.set(_WEBHOOK, b"")
    await unit.payments.forget_customers(is_live)
    await payment_sweeps.note_sweep(unit, is_live, 0)
    unfinished = [one for one in await unit.payments.unfinished() if one.is_live is is_live]
    for one in unfinished:
        await unit.payments.update(replace(one, state=PaymentState.EXPIRED, changed_at_us=unit.clock.now_us()))
    return len(unfinished)


async def load(unit: Unit, vault: Vault, api_base: str | None = None) -> PaymentKeys:
    """Returns the keys. Raises FailureError if there is no secret key, or if it was stored for another address."""
    base = api_base or STRIPE
    secret_key = await _stored(unit, vault, _SECRET_KEY, base)
    if secret_key is None:
        raise FailureError("there is no key of Stripe", _SET_UP)
    return PaymentKeys(secret_key, await _stored(unit, vault, _WEBHOOK, base))


async def _stored(unit: Unit, vault: Vault, name: str, base: str) -> str | None:
    sealed = await unit.instance.get(name)
    if sealed and await _stored_base(unit) != base:
        raise FailureError("the keys of Stripe were stored for another address of its API", _SET_UP)
    return vault.open_secret(sealed, *_place(name, base)) if sealed else None


async def _stored_base(unit: Unit) -> str:
    return (await unit.instance.get(_BASE) or STRIPE.encode()).decode()


async def stored(unit: Unit) -> int:
    """Returns how many keys are stored."""
    return sum([(await secret.load(unit))[0] is not None for secret in SECRETS])
