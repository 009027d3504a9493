"""The commands of `softix bill` for invoices, statements, credit notes and receipts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import (
    Group,
    choice_of,
    confirm,
    echo,
    instance,
    invocation,
    say,
    show,
    show_all,
    write_file,
)
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.access.users import User
from softix_proxy.domain.billing.bill import Customer, Document, DocumentKind, StoredDocument
from softix_proxy.operations.access import users
from softix_proxy.operations.billing import bill as operations
from softix_proxy.operations.billing import bill_run

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

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
    """Returns the fields of one line of a list. `bill show --json` has the whole document."""
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
    """Issue and show invoices, statements, credit notes and receipts. Example: softix bill run --period 2026-10"""


@bill.command()
@click.option("--period", required=True, metavar="PERIOD", help="A month such as 2026-10, or a closed period's name.")
@click.option("--user", metavar="USER", help="Only bill this user: id, name or e-mail.")
@click.option("--open", "open_", is_flag=True, help="Bill a period that is over but not closed.")
@click.option("--dry-run", is_flag=True, help="Show what would be issued, and issue nothing.")
@instance
async def run(instance: Instance, period: str, user: str | None, open_: bool, dry_run: bool) -> None:
    """Issue the documents of a period: invoices, statements, credit notes and receipts.

    If you run it again, it issues what is missing, and nothing twice. The exit code is 1 if a customer's details are
    incomplete. Example: softix bill run --period 2026-10 --dry-run
    """
    outcomes = [
        outcome
        async for outcome in bill_run.run(
            instance.storage, instance.settings.billing, period, user=user, open_=open_, dry=dry_run
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
            say(f"{outcome.user.name}: {outcome.problem}", outcome.remedy)
    counts = {state: sum(outcome.state == state for outcome in outcomes) for state in ("issued", "planned", "kept")}
    say(", ".join(f"{count} {state}" for state, count in counts.items() if count) or "Nothing to bill.")


def _outcome_fields(outcome: bill_run.BillRunResult) -> dict[str, Any]:
    nothing = dict.fromkeys(("number", *_COLUMNS.columns))
    made = as_fields(outcome.document, outcome.user.name) if outcome.document else nothing
    named = {"state": outcome.state, **made, "user_id": outcome.user.public_id, "user_name": outcome.user.name}
    return {**named, "problem": outcome.problem or None, "remedy": outcome.remedy or None}


@bill.command("list")
@click.option("--user", metavar="USER", help="Only this user's: id, name or e-mail.")
@click.option("--period", metavar="PERIOD", help="Only documents of this period.")
@click.option("--kind", type=choice_of(DocumentKind), help="Only documents of this kind.")
@instance
async def list_(instance: Instance, user: str | None, period: str | None, kind: str | None) -> None:
    """List documents in the order in which they were issued. Example: softix bill list --period 2026-10"""
    found = await operations.list_all(
        instance.storage, user=user, period=period, kind=DocumentKind(kind) if kind else None
    )
    names = await users.names(instance.storage)
    show_all((as_fields(one.document, names[one.user_id]) for one in found), _COLUMNS)


@bill.command("show")
@click.argument("number")
@instance
async def show_(instance: Instance, number: str) -> None:
    """Show one document. With --json it is complete. Example: softix bill show INV-2026-00001"""
    from softix_proxy.exports.billing import bill_json, bill_text

    found = await operations.show(instance.storage, number)
    if invocation().as_json:
        show(bill_json.fields(found.document))
    else:
        echo(bill_text.render(found.document))


@bill.command()
@click.argument("number")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="html",
    show_default=True,
    help="The format: xml is EN 16931 as CII, ubl as UBL. pdf is PDF/A-3, with an invoice's XML inside (Factur-X).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The file to write, completely or not at all.  [default: standard output]",
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
@instance
async def render(instance: Instance, number: str, form: str, out: Path | None, force: bool) -> None:
    """Make a file of a document. Example: softix bill render INV-2026-00001 --format pdf --out bill.pdf"""
    from softix_proxy.exports.billing.bill_formats import FORMATS
    from softix_proxy.exports.billing.bill_pdf import fonts_of
    from softix_proxy.exports.reporting.whole_file import whole_file

    found = await operations.show(instance.storage, number)
    made = FORMATS[form](found.document, fonts_of(instance.settings.billing))
    if out is None:
        write_file(made)
        return
    with whole_file(out, overwrite=force) as file:
        file.write(made)
    show({"number": number, "format": form, "out": str(out), "bytes": len(made)})


@bill.command()
@click.argument("number")
@click.option("--note", required=True, metavar="TEXT", help="The reason. It is printed on the credit note.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def credit(instance: Instance, number: str, note: str, yes: bool) -> None:
    """Cancel a whole invoice by a credit note. Its period can then be billed again.

    The ledger stays as it is. To change what was charged, use softix usage correct.
    Example: softix bill credit INV-2026-00001 --note 'wrong address' --yes
    """
    await operations.show(instance.storage, number)
    confirm(f"Credit {number}?", yes)
    made: StoredDocument = await operations.credit(instance.storage, instance.settings.billing, number, note)
    owner = await users.show_number(instance.storage, made.user_id)
    again = f"To bill anew: softix bill run --period {made.document.period}"
    show(as_fields(made.document, owner.name), f"{number} is credited. {again}")


@bill.command()
@click.argument("user")
@click.option("--name", help="The name on documents.  [default: the user's name]")
@click.option("--address", multiple=True, help="A line of the address. Repeat it for more lines.")
@click.option("--postcode", help="The postal code.")
@click.option("--city", help="The city.")
@click.option("--country", metavar="CC", help="The country: two letters, ISO 3166.")
@click.option("--vat-id", help="The VAT id, with the country first: DE123456789.")
@click.option("--email", help="The address to which documents go.")
@click.option("--reference", help="The customer's own reference: an order number, a cost centre.")
@click.option(
    "--tax-category", metavar="CODE", help="The tax: S standard, Z zero, E exempt, AE reverse charge, G export, O none."
)
@click.option("--tax-rate", metavar="PERCENT", help="The rate for category S, if it differs from billing.tax_rate.")
@click.option("--tax-reason", help="The reason why no tax is charged. Category E needs one.")
@instance
async def customer(instance: Instance, user: str, **changes: Any) -> None:
    """Show or change the details of a user that documents have. The word `none` removes a value.

    Issued documents stay as they are.
    Example: softix bill customer ada --name 'Ada Ltd' --address 'Main Street 1' --city Vienna --country AT
    """
    if any(value not in (None, ()) for value in changes.values()):
        changes = {name: "" if value in (_NONE, (_NONE,)) else value for name, value in changes.items()}
        show(
            customer_fields(
                *await operations.set_customer(instance.storage, instance.settings.billing, user, **changes)
            )
        )
    else:
        show(customer_fields(*await operations.customer(instance.storage, user)))
