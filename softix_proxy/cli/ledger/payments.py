"""The commands of `softix payments`: payments by Stripe, refunds, and automatic top-ups."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import COUNT, Group, confirm, instance, say, show, show_all
from softix_proxy.cli.console.key_source import KeySource, key_options
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.cli.reporting import payment_export
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.domain.core.money import format_cents, format_usd
from softix_proxy.domain.ledger.auto_top_ups import AutoTopUp
from softix_proxy.domain.ledger.payments import OnlinePayment
from softix_proxy.domain.ledger.payments_section import parse_cents
from softix_proxy.domain.ledger.refunds import RefundRequest
from softix_proxy.operations.access import users
from softix_proxy.operations.ledger import auto_top_ups, payment_keys, payment_setup, payment_sweeps, refunds
from softix_proxy.operations.ledger import payments as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.domain.ports.vault import Vault
    from softix_proxy.operations.ledger.payments import PaymentContext

_PAYMENTS = TableLayout(
    ("id", "mode", "user_name", "kind", "state", "paid", "tax", "refunded", "disputed", "credit", "created_at"),
    leave=("created_at", "disputed", "tax", "kind"),
)
_REFUNDS = TableLayout(("id", "payment", "amount", "state", "created_at"), leave=("created_at",))


@asynccontextmanager
async def _context(instance: Instance) -> AsyncIterator[PaymentContext]:
    from softix_proxy.assembly.payments import opened_payments

    opening = opened_payments(instance.settings, instance.storage, await instance.vault(), instance.clock)
    async with opening as service:
        context = await service.context()
        if not context.gateway.is_live:
            say("TEST MODE: no money moves.")
        yield context


def _fields(payment: OnlinePayment, user_name: str) -> dict[str, Any]:
    return {
        "id": payment.public_id,
        "mode": "live" if payment.is_live else "TEST",
        "user_name": user_name,
        "kind": payment.kind.value,
        "state": payment.state.value,
        "asked": format_cents(payment.asked_cents),
        "paid": format_cents(payment.paid_cents),
        "tax": format_cents(payment.tax_cents),
        "refunded": format_cents(payment.refunded_cents),
        "disputed": format_cents(payment.disputed_cents),
        "held": format_cents(payment.held_cents),
        "credit": format_usd(payment.credit_pico),
        "failure": payment.failure or None,
        "session": payment.session_id,
        "intent": payment.intent_id,
        "created_at": format_instant(payment.created_at_us),
        "changed_at": format_instant(payment.changed_at_us) if payment.changed_at_us else None,
    }


def refund_fields(request: RefundRequest, payment: str) -> dict[str, Any]:
    """Returns the fields of a refund, as each command about it prints them."""
    return {
        "id": request.public_id,
        "payment": payment,
        "amount": format_cents(request.amount_cents),
        "state": request.state.value,
        "asked_by": "user" if request.account_id is not None else "operator",
        "created_at": format_instant(request.created_at_us),
        "answered_at": format_instant(request.answered_at_us),
    }


@click.group(cls=Group)
def payments() -> None:
    """Set up, list and refund payments by Stripe. Example: softix payments list"""


payments.add_command(payment_export.export)


@payments.command()
@key_options
@click.option("--webhook-secret-env", metavar="VAR", help="Read the webhook's secret from an environment variable.")
@click.option(
    "--webhook-secret-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read the webhook's secret from a file.",
)
@click.option("--new-webhook", is_flag=True, help="Make a new endpoint at Stripe, although there is a secret.")
@click.option(
    "--new-account", is_flag=True, help="Move to another account of Stripe. Customers save their cards again."
)
@instance
async def setup(
    instance: Instance,
    key_stdin: bool,
    key_env: str | None,
    key_file: Path | None,
    webhook_secret_env: str | None,
    webhook_secret_file: Path | None,
    new_webhook: bool,
    new_account: bool,
) -> None:
    """Check the account of a key of Stripe, store the key, and make the webhook endpoint.

    Without a key it uses the stored one, and asks for one if there is none.
    Example: softix payments setup --key-file stripe.key
    """
    from softix_proxy.payments.stripe_gateway import opened_gateway

    vault, section = await instance.vault(), instance.settings.payments
    source = KeySource(key_stdin, key_env, key_file)
    secret = KeySource(False, webhook_secret_env, webhook_secret_file).read("the webhook", ask=False)
    key = await _given_or_stored(instance, vault, source)
    async with opened_gateway(key, api_base=section.api_base, timeout_s=section.timeout_s) as gateway:
        done = await payment_setup.set_up(
            instance.storage,
            vault,
            gateway,
            secret_key=key,
            webhook_secret=secret,
            public_url=instance.settings.portal.origin or "",
            api_base=section.api_base,
            new_webhook=new_webhook,
            new_account=new_account,
        )
    for note in done.notes:
        say(note)
    if not section.enabled:
        say("Payments are switched off.", "set payments.enabled = true")
    account = done.account
    fields = {"account": account.id or None, "mode": "live" if account.is_live else "TEST"}
    show(
        {
            **fields,
            "country": account.country or None,
            "webhook": done.webhook,
            "webhook_url": done.webhook_url or None,
        }
    )


async def _given_or_stored(instance: Instance, vault: Vault, source: KeySource) -> str:
    """Returns the key that is given, or the stored one. It asks for one only if none is stored that opens here."""
    given = source.read("Stripe", ask=False)
    if given is None:
        try:
            stored = await payment_keys.load(instance.storage.reading(), vault, instance.settings.payments.api_base)
            return stored.secret_key
        except FailureError:
            given = source.read("Stripe", ask=True)
            if given is None:
                raise
    return payment_keys.checked_key(given)


@payments.command()
@instance
async def status(instance: Instance) -> None:
    """Show whether payments are set up, and in which mode. Example: softix payments status"""
    section = instance.settings.payments
    found = await payment_setup.status(
        instance.storage, await instance.vault(), enabled=section.enabled, api_base=section.api_base
    )
    if found.key == "test":
        say("TEST MODE: no money moves.")
    show(
        {
            "enabled": found.enabled,
            "mode": {"test": "TEST"}.get(found.key, found.key),
            "webhook": found.webhook,
            "open_payments": found.open_payments,
            "open_refunds": found.open_refunds,
            "last_event_at": format_instant(found.last_event_us) if found.last_event_us else None,
        }
    )


@payments.command("list")
@click.option("--user", metavar="USER", help="Only payments of this user: id, name or e-mail.")
@click.option("--limit", type=COUNT, default=50, show_default=True, help="The number of payments to list.")
@instance
async def list_(instance: Instance, user: str | None, limit: int) -> None:
    """List payments, the newest first. Example: softix payments list --user ada@example.org"""
    user_id = (await users.show(instance.storage, user)).id if user else None
    found = await operations.list_all(instance.storage, user_id, limit)
    names = await users.names(instance.storage)
    show_all((_fields(one, names[one.user_id]) for one in found), _PAYMENTS)


@payments.command("show")
@click.argument("payment")
@instance
async def show_(instance: Instance, payment: str) -> None:
    """Show one payment, and what can go back of it. Example: softix payments show pay_0123456789abcdef"""
    async with instance.storage.snapshot() as unit:
        found = await operations.find(unit, payment)
        rest = await refunds.refundable(unit, found)
        owner = await unit.users.get(found.user_id)
    show({**_fields(found, owner.name), "refundable": format_cents(rest.net_cents)})


@payments.command()
@click.argument("payment")
@click.option("--amount", help="The credit to take back, in US dollars without tax.  [default: all that is unused]")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def refund(instance: Instance, payment: str, amount: str | None, yes: bool) -> None:
    """Make a refund of unused money, to the card that paid it.

    Example: softix payments refund pay_0123456789abcdef --amount 5.00 --yes
    """
    net_cents = parse_cents(amount) if amount else None
    await operations.find(instance.storage.reading(), payment)
    confirm(f"Refund {'$' + amount if amount else 'all unused money'} of {payment}?", yes)
    async with _context(instance) as context:
        done = await refunds.request(context, payment, net_cents=net_cents, approved=True)
    show(refund_fields(done, payment))


@payments.command("refunds")
@instance
async def refunds_(instance: Instance) -> None:
    """List the refunds that were asked for or made here, the oldest first. Example: softix payments refunds"""
    reading = instance.storage.reading()
    found = await refunds.list_all(instance.storage, None, None)
    show_all([refund_fields(one, (await reading.payments.get(one.payment_id)).public_id) for one in found], _REFUNDS)


@payments.command("approve-refund")
@click.argument("refund")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def approve_refund(instance: Instance, refund: str, yes: bool) -> None:
    """Approve a refund that a user asked for, and send it.

    Example: softix payments approve-refund rfd_0123456789abcdef --yes
    """
    found = await refunds.find(instance.storage.reading(), refund)
    confirm(f"Refund ${format_cents(found.amount_cents)}?", yes)
    async with _context(instance) as context:
        done = await refunds.approve(context, refund)
        paid = await instance.storage.reading().payments.get(done.payment_id)
    show(refund_fields(done, paid.public_id))


@payments.command("refuse-refund")
@click.argument("refund")
@instance
async def refuse_refund(instance: Instance, refund: str) -> None:
    """Refuse a refund. Its money is in the balance again.

    Example: softix payments refuse-refund rfd_0123456789abcdef
    """
    async with _context(instance) as context:
        done = await refunds.refuse(context, refund)
        paid = await instance.storage.reading().payments.get(done.payment_id)
    show(refund_fields(done, paid.public_id))


@payments.command()
@click.option("--all", "everything", is_flag=True, help="Fetch every payment, however old it is.")
@instance
async def sweep(instance: Instance, everything: bool) -> None:
    """Update payments by what Stripe has, and post the differences. Example: softix payments sweep"""
    async with _context(instance) as context:
        await refunds.send_approved(context)
        swept = await payment_sweeps.sweep(context, everything=everything)
    show({"payments": swept.payments, "changed": swept.changed, "failed": swept.failed})
    if swept.failed:
        raise SystemExit(1)


@payments.command("set-auto-top-up")
@click.argument("user")
@click.option("--threshold", help="Top up if the balance is below this, in US dollars.")
@click.option("--amount", help="The credit of each automatic payment, in US dollars without tax.")
@click.option("--monthly-cap", help="The most that automatic payments may add in a month, in US dollars.")
@click.option("--off", is_flag=True, help="Switch it off.")
@instance
async def set_auto_top_up(
    instance: Instance, user: str, threshold: str | None, amount: str | None, monthly_cap: str | None, off: bool
) -> None:
    """Set or end the automatic top-up of a user, by the card that the user saved.

    Example: softix payments set-auto-top-up ada@example.org --threshold 5.00 --amount 25.00 --monthly-cap 100.00
    """
    owner = await users.find_payer(instance.storage.reading(), user)
    if off:
        show(_auto_fields(owner.public_id, await auto_top_ups.switch_off(instance.storage, owner.id)))
        return
    if threshold is None or amount is None or monthly_cap is None:
        raise BadInputError("three amounts are needed", "give --threshold, --amount and --monthly-cap, or --off")
    async with _context(instance) as context:
        done = await auto_top_ups.set_by_operator(
            context, user, threshold=threshold, amount=amount, monthly=monthly_cap
        )
    show(_auto_fields(owner.public_id, done))


def _auto_fields(user: str, found: AutoTopUp | None) -> dict[str, Any]:
    if found is None:
        return {"user_id": user, "enabled": False}
    return {
        "user_id": user,
        "enabled": found.enabled,
        "threshold": format_cents(found.threshold_cents),
        "amount": format_cents(found.amount_cents),
        "monthly_cap": format_cents(found.monthly_cap_cents),
        "failures": found.failures,
        "paused_at": format_instant(found.paused_at_us),
    }
