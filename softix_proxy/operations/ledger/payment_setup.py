"""Sets payments up: checks the operator's account, stores the keys, and makes the endpoint for events."""

from __future__ import annotations

from dataclasses import dataclass

from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.ledger.payments import PAYMENT_CURRENCY
from softix_proxy.domain.ports.payment_gateway import GatewayAccount, PaymentGateway
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.ledger import payment_keys

WEBHOOK_PATH = "/webhooks/stripe"
EVENTS = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.succeeded",
    "payment_intent.processing",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "refund.created",
    "refund.updated",
    "refund.failed",
)
"""The types of events that the webhook receives, and that the sweep lists. Each is a hint and nothing more."""


@dataclass(frozen=True, slots=True)
class PaymentSetup:
    """What is set up, and what is left to do."""

    account: GatewayAccount
    webhook_url: str
    """Empty if the portal has no address."""
    webhook: str
    """`made`, `given`, `kept`, or `missing`."""
    notes: tuple[str, ...] = ()


async def set_up(
    storage: Storage,
    vault: Vault,
    gateway: PaymentGateway,
    *,
    secret_key: str,
    webhook_secret: str | None,
    public_url: str,
    api_base: str | None,
    new_webhook: bool = False,
    new_account: bool = False,
) -> PaymentSetup:
    """Checks the account of the key, and stores it. It makes the endpoint if the portal can be reached by https.

    Raises BadInputError for an unusable key or secret, GatewayError if Stripe does not accept the key, and
    ConflictError if the account cannot charge, or is another one than before and that is not said.
    """
    if webhook_secret is not None:
        payment_keys.checked_webhook_secret(webhook_secret)
    account = await gateway.account()
    if account.can_charge is False:
        raise ConflictError(
            f"the account {account.id} cannot charge yet", "complete it in Stripe's dashboard, then run this again"
        )
    other = await payment_keys.other_account(storage.reading(), account.id, is_live=account.is_live)
    if other is not None and not new_account:
        raise ConflictError(
            f"this key is of the account {account.id}, and the keys before it were of {other}",
            "give a key of that account; for a move to the new one: softix payments setup --new-account",
        )
    ended = await payment_keys.store(
        storage,
        vault,
        secret_key=secret_key,
        webhook_secret=webhook_secret,
        api_base=api_base,
        account_id=account.id,
    )
    known = await payment_keys.load(storage.reading(), vault, api_base)
    url = f"{public_url}{WEBHOOK_PATH}" if public_url else ""
    state = "given" if webhook_secret else "kept"
    if webhook_secret is None and (known.webhook_secret is None or new_webhook):
        state = "missing"
        if public_url.startswith("https://"):
            made = await gateway.make_webhook(url)
            await payment_keys.store(storage, vault, webhook_secret=made, api_base=api_base)
            state = "made"
    return PaymentSetup(account, url, state, (*_notes_on_the_move(ended), *_notes(account, state, url)))


def _notes_on_the_move(ended: int | None) -> list[str]:
    if ended is None:
        return []
    return [
        "The account is another one than before. Its customers and their saved cards are forgotten here, and"
        f" {ended} unfinished payments of it are ended. Refund its payments in its own dashboard."
    ]


def _notes(account: GatewayAccount, webhook: str, url: str) -> list[str]:
    notes = []
    if webhook == "missing":
        notes.append(_by_hand(url))
    if not account.is_live:
        notes.append(
            "This is test mode: no money moves. Run this again with a key that begins with sk_live_ to go live."
        )
    if account.can_charge is None:
        notes.append(
            "Stripe does not tell a restricted key whether the account can charge. See its dashboard, and make a"
            " payment to try it."
        )
    if account.default_currency.lower() not in ("", PAYMENT_CURRENCY):
        notes.append(
            f"The account settles in {account.default_currency.upper()}. People pay in USD, and Stripe converts it."
        )
    return notes


def _by_hand(url: str) -> str:
    """Says how to add the endpoint that could not be made."""
    if not url:
        return (
            "portal.public_url is not set, so there is no address for the webhook. Set it, then run this again. Until"
            " then the sweep finds payments."
        )
    return (
        f"Stripe cannot reach {url}. Under Developers → Webhooks add the endpoint https://YOUR-PORTAL{WEBHOOK_PATH}"
        f" with these events: {', '.join(EVENTS)}. Then run: softix payments setup --webhook-secret-file FILE. Until"
        " then the sweep finds payments."
    )


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """Whether payments work. It asks nobody."""

    enabled: bool
    key: str
    """`live`, `test` or `missing`."""
    webhook: bool
    open_payments: int
    open_refunds: int
    last_event_us: int


async def status(storage: Storage, vault: Vault, *, enabled: bool, api_base: str | None) -> PaymentStatus:
    """Returns the state of payments. Raises FailureError if the stored keys do not open."""
    unit = storage.reading()
    key, webhook = "missing", False
    if await payment_keys.stored(unit):
        keys = await payment_keys.load(unit, vault, api_base)
        key, webhook = "live" if keys.is_live else "test", keys.webhook_secret is not None
    return PaymentStatus(
        enabled=enabled,
        key=key,
        webhook=webhook,
        open_payments=len(await unit.payments.unfinished()),
        open_refunds=len([one for one in await unit.payments.refunds.list(None, None) if one.is_open]),
        last_event_us=await unit.payments.last_seen_us(),
    )
