"""softix bill: invoices, statements, credit notes and receipts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console import Group, confirm, invocation, office, say, show, show_all
from softix_proxy.cli.tables import TableLayout
from softix_proxy.domain.bill import Customer, Document, DocumentKind, StoredDocument
from softix_proxy.domain.users import User
from softix_proxy.operations import bill as operations
from softix_proxy.operations import bill_run

if TYPE_CHECKING:
    from softix_proxy.assembly import Office
    from softix_proxy.exports.bill_pdf import Fonts

_NONE = "none"
_FORMATS = ("html", "pdf", "xml", "ubl", "json")
_COLUMNS = TableLayout(
    ("number", "kind", "user_name", "period", "issued_on", "net", "tax", "total", "due"),
    leave=("issued_on", "net", "tax", "period", "user_name"),
)
_OUTCOMES = TableLayout(
    ("state", "user_name", "number", "kind", "net", "tax", "total", "due"), leave=("net", "tax", "kind", "number")
)


def as_fields(document: Document, user_name: str) -> dict[str, Any]:
    """One line of a list; the whole is in `bill show --json`."""
    return {
        "number": document.number or None,
        "kind": document.kind.value,
        "user_id": document.user,
        "user_name": user_name,
        "period": document.period,
        "issued_on": document.issued_on.isoformat(),
        "net": f"{document.totals.net:f}",
        "tax": f"{document.totals.tax:f}",
        "total": f"{document.totals.gross:f}",
        "due": f"{document.totals.due:f}",
        "currency": document.currency,
    }


def customer_fields(user: User, customer: Customer) -> dict[str, Any]:
    party = customer.party
    return {
        "user_id": user.public_id,
        "user_name": user.name,
        "name": party.name,
        "address": list(party.address),
        "postcode": party.postcode or None,
        "city": party.city or None,
        "country": party.country or None,
        "vat_id": party.vat_id or None,
        "email": party.email or None,
        "reference": party.reference or None,
        "tax_category": customer.category.value if customer.category else None,
        "tax_rate": None if customer.rate is None else f"{customer.rate:f}",
        "tax_reason": customer.reason or None,
    }


@click.group(cls=Group)
def bill() -> None:
    """Invoices, statements, credit notes and receipts. Example: softix bill run --period 2026-10"""


@bill.command()
@click.option("--period", required=True, metavar="PERIOD", help="A month such as 2026-10, or a closed period's name.")
@click.option("--user", metavar="USER", help="Only this user: id, name or e-mail.")
@click.option("--open", "open_", is_flag=True, help="Though the period is over and not closed.")
@click.option("--dry-run", is_flag=True, help="Show what would be issued, and issue nothing.")
@office
async def run(office: Office, period: str, user: str | None, open_: bool, dry_run: bool) -> None:
    """Issue what a period is to be billed with: invoices, statements, credit notes, receipts.

    Run again, it issues what is missing, and nothing twice. Exit 1 where a customer's details do not suffice.
    Example: softix bill run --period 2026-10 --dry-run
    """
    outcomes = [
        outcome
        async for outcome in bill_run.run(
            office.storage, office.settings.billing, period, user=user, open_=open_, dry=dry_run
        )
    ]
    _show_outcomes(outcomes)
    if any(outcome.state == "refused" for outcome in outcomes):
        raise SystemExit(1)


def _show_outcomes(outcomes: list[bill_run.BillRunResult]) -> None:
    rows = [_outcome_fields(outcome) for outcome in outcomes]
    show_all(rows, _OUTCOMES)
    for outcome in outcomes:
        if outcome.state == "refused":
            say(f"{outcome.user.name}: {outcome.problem}\n  → {outcome.remedy}")
    counts = {state: sum(outcome.state == state for outcome in outcomes) for state in ("issued", "planned", "kept")}
    say(", ".join(f"{count} {state}" for state, count in counts.items() if count) or "Nothing to bill.")


def _outcome_fields(outcome: bill_run.BillRunResult) -> dict[str, Any]:
    nothing = dict.fromkeys(("number", *_COLUMNS.columns))
    made = as_fields(outcome.document, outcome.user.name) if outcome.document else nothing
    named = {"state": outcome.state, **made, "user_id": outcome.user.public_id, "user_name": outcome.user.name}
    return {**named, "problem": outcome.problem or None, "remedy": outcome.remedy or None}


@bill.command("list")
@click.option("--user", metavar="USER", help="Only this user's: id, name or e-mail.")
@click.option("--period", metavar="PERIOD", help="Only this period's.")
@click.option("--kind", type=click.Choice([kind.value for kind in DocumentKind]), help="Only such.")
@office
async def list_(office: Office, user: str | None, period: str | None, kind: str | None) -> None:
    """List documents in the order in which they were issued. Example: softix bill list --period 2026-10"""
    found = await operations.list_all(
        office.storage, user=user, period=period, kind=DocumentKind(kind) if kind else None
    )
    names = await operations.names(office.storage)
    show_all((as_fields(one.document, names[one.user_id]) for one in found), _COLUMNS)


@bill.command("show")
@click.argument("number")
@office
async def show_(office: Office, number: str) -> None:
    """Show one document; with --json, whole. Example: softix bill show INV-2026-00001"""
    from softix_proxy.exports import bill_json, bill_text

    found = await operations.show(office.storage, number)
    if invocation().as_json:
        show(bill_json.fields(found.document))
    else:
        click.echo(bill_text.render(found.document))


@bill.command()
@click.argument("number")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="html",
    show_default=True,
    help="xml: EN 16931 as CII; ubl: as UBL; pdf: PDF/A-3, an invoice with its XML inside (Factur-X).",
)
@click.option("--out", type=click.Path(path_type=Path), help="A file, whole or not at all; else standard output.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@office
async def render(office: Office, number: str, form: str, out: Path | None, force: bool) -> None:
    """Make a document into a file to send. Example: softix bill render INV-2026-00001 --format pdf --out bill.pdf"""
    from softix_proxy.exports.bill_formats import FORMATS
    from softix_proxy.exports.whole_file import whole_file

    found = await operations.show(office.storage, number)
    made = FORMATS[form](found.document, _fonts(office))
    if out is None:
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()
        return
    with whole_file(out, overwrite=force) as file:
        file.write(made)
    show({"number": number, "format": form, "out": str(out), "bytes": len(made)})


def _fonts(office: Office) -> Fonts | None:
    from softix_proxy.exports.bill_pdf import Fonts

    regular, bold = office.settings.billing.pdf_font, office.settings.billing.pdf_font_bold
    return Fonts(regular, bold or regular) if regular else None


@bill.command()
@click.argument("number")
@click.option("--note", required=True, metavar="TEXT", help="Why; it stands on the credit note.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@office
async def credit(office: Office, number: str, note: str, yes: bool) -> None:
    """Take a whole invoice back by a credit note; its period can be billed anew.

    The ledger stays as it is: to change what was charged, softix usage correct.
    Example: softix bill credit INV-2026-00001 --note 'wrong address' --yes
    """
    await operations.show(office.storage, number)
    confirm(f"Credit {number}?", yes)
    made: StoredDocument = await operations.credit(office.storage, office.settings.billing, number, note)
    names = await operations.names(office.storage)
    again = f"To bill anew: softix bill run --period {made.document.period}"
    show(as_fields(made.document, names[made.user_id]), f"{number} is credited. {again}")


@bill.command()
@click.argument("user")
@click.option("--name", help="As it stands on documents; else the user's name.")
@click.option("--address", multiple=True, help="A line of the address; may be given several times.")
@click.option("--postcode", help="Postal code.")
@click.option("--city", help="City.")
@click.option("--country", metavar="CC", help="Two letters, ISO 3166.")
@click.option("--vat-id", help="With the country before it: DE123456789.")
@click.option("--email", help="Where documents go.")
@click.option("--reference", help="What the customer wants to read: an order number, a cost centre.")
@click.option(
    "--tax-category", metavar="CODE", help="S standard, Z zero, E exempt, AE reverse charge, G export, O none."
)
@click.option("--tax-rate", metavar="PERCENT", help="Of category S, where it differs from billing.tax_rate.")
@click.option("--tax-reason", help="Why no tax is charged; needed for category E.")
@office
async def customer(office: Office, user: str, **changes: Any) -> None:
    """Show what stands on a user's documents, or change it; `none` takes a value away.

    Issued documents stay as they are.
    Example: softix bill customer ada --name 'Ada Ltd' --address 'Main Street 1' --city Vienna --country AT
    """
    if any(value not in (None, ()) for value in changes.values()):
        changes = {name: "" if value in (_NONE, (_NONE,)) else value for name, value in changes.items()}
        show(customer_fields(*await operations.set_customer(office.storage, user, **changes)))
    else:
        show(customer_fields(*await operations.customer(office.storage, user)))
