"""The command `softix reconcile`, which compares a provider's own bill with the books."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from softix_proxy.cli.console.console import Command, echo, echo_lines, instance, invocation, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.cli.reporting.report_files import day_text, opened
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import CURRENCY, format_cents, format_usd
from softix_proxy.domain.reporting.reconciliation import (
    ComparedDay,
    DifferenceCause,
    Measure,
    Reconciliation,
    parse_tolerance,
)
from softix_proxy.imports import formats, mapping
from softix_proxy.operations.reporting import reconcile as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_COLUMNS = TableLayout(("day", "model", "softix", "bill", "difference", "explained"), prose=("explained",))
_PAYMENTS = TableLayout(("payment", "intent", "what", "softix", "stripe", "difference"), leave=("intent",))
_MOST_NAMES = 10


@click.command(cls=Command)
@click.argument("source", required=False, type=click.Choice(["stripe"]))
@click.argument("report", required=False, type=click.Path(path_type=Path))
@click.option("--provider", metavar="PROVIDER", help="The provider of the bill: name or id.")
@click.option("--file", "path", type=click.Path(path_type=Path), help="The bill: CSV or JSON.")
@click.option("--from", "from_", metavar="DATE", help="The first day (UTC).  [default: the first of the bill]")
@click.option("--to", metavar="DATE", help="The day after the last one (UTC).  [default: after the last of the bill]")
@click.option(
    "--tolerance",
    default="0.5%",
    show_default=True,
    metavar="PERCENT",
    help="The difference that is still accepted. Beyond it, the exit code is 1.",
)
@click.option(
    "--mapping",
    "mapped",
    type=click.Path(path_type=Path),
    help="A TOML file that describes columns and names of models.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(get_args(formats.BillFormat)),
    default="auto",
    show_default=True,
    help="The format of the bill.",
)
@instance
async def reconcile(
    instance: Instance,
    source: str | None,
    report: Path | None,
    provider: str | None,
    path: Path | None,
    from_: str | None,
    to: str | None,
    tolerance: str,
    mapped: Path | None,
    form: formats.BillFormat,
) -> None:
    """Compare a provider's bill with the books, by day (UTC) and model; or a report of Stripe's balance.

    The exit code is 0 within the tolerance, and 1 beyond it. With `stripe FILE`, each payment must agree to the cent.
    Example: softix reconcile --provider openai --file costs.json
    """
    if source is not None:
        await _stripe(instance, report, provider or path)
        return
    if provider is None or path is None:
        raise BadInputError("there is no bill to compare", "give --provider and --file, or: stripe FILE")
    most = parse_tolerance(tolerance)
    told = mapping.BillMapping()
    if mapped:
        with opened(mapped) as file:
            told = mapping.read(file, mapped.name)
    with opened(path) as file:
        bill = formats.read(file, path.name, form, told)
        found = await operations.reconcile(instance.storage, provider, bill, from_=from_, to=to, tolerance=most)
    _show(found, bill.title)
    if not found.within:
        raise SystemExit(1)


async def _stripe(instance: Instance, report: Path | None, other: object) -> None:
    """Compares a report of Stripe's balance. The exit code is 1 if a payment differs."""
    from softix_proxy.imports import stripe_balance
    from softix_proxy.operations.reporting import payment_reconciliation

    if report is None or other is not None:
        raise BadInputError("a report of Stripe is one file", "softix reconcile stripe FILE")
    with opened(report) as file:
        found = await payment_reconciliation.reconcile(instance.storage, stripe_balance.read(file, report.name))
    rows = [
        {
            "payment": one.payment,
            "intent": one.intent_id,
            "what": one.cause.value,
            "softix": format_cents(one.ours_cents),
            "stripe": format_cents(one.theirs_cents),
            "difference": format_cents(one.difference_cents),
        }
        for one in found.differing
    ]
    fields = {
        "ok": found.agrees,
        "from": day_text(found.first_day),
        "to": day_text(found.end_day),
        "softix": format_cents(found.ours_cents),
        "stripe": format_cents(found.theirs_cents),
        "fees": format_usd(found.fees_pico),
        "payments": found.payments,
        "other_lines": found.other_lines,
    }
    if invocation().as_json:
        show({**fields, "rows": rows})
    else:
        show(fields)
        if rows:
            echo()
            show_all(rows, _PAYMENTS)
    if not found.agrees:
        raise SystemExit(1)


def _show(report: Reconciliation, title: str) -> None:
    rows = [_row(line, report.measure) for line in report.lines]
    if invocation().as_json:
        show({**_fields(report), "format": title, "rows": rows})
        return
    echo_lines((headline(report), *_prose(report, title)))
    if rows:
        echo()
        show_all(
            [
                {**row, "explained": _explained(line.causes, report.measure)}
                for row, line in zip(rows, report.lines, strict=True)
            ],
            _COLUMNS,
        )
    say("Within the tolerance." if report.within else f"Beyond the tolerance of {percent(report.tolerance)} %.")


def headline(report: Reconciliation) -> str:
    """Returns the one line that matters. Its difference is the provider's amount minus softix's."""
    return f"matched {percent(report.matched)} %, difference {_with_unit(report.difference, report.measure)}"


def percent(share: Fraction) -> str:
    """Formats a share with two decimals that are cut off, so that 100.00 is exact."""
    hundredths = share.numerator * 10_000 // share.denominator
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _amount(number: int, measure: Measure) -> str | int:
    return format_usd(number) if measure is Measure.USD else number


def _with_unit(number: int, measure: Measure) -> str:
    return f"{_amount(number, measure)} {CURRENCY if measure is Measure.USD else 'tokens'}"


def _causes(causes: Sequence[DifferenceCause], measure: Measure) -> list[dict[str, Any]]:
    return [
        {"cause": cause.kind.value, "amount": _amount(cause.amount, measure), "requests": cause.requests}
        for cause in causes
    ]


def _row(line: ComparedDay, measure: Measure) -> dict[str, Any]:
    return {
        "day": day_text(line.day),
        "model": line.model,
        "softix": _amount(line.ours, measure),
        "bill": _amount(line.theirs, measure),
        "difference": _amount(line.difference, measure),
        "requests": line.side.requests,
        "softix_tokens": line.side.tokens,
        "bill_tokens": line.side.bill_tokens,
        "causes": _causes(line.causes, measure),
    }


def _fields(report: Reconciliation) -> dict[str, Any]:
    measure = report.measure
    return {
        "ok": report.within,
        "matched_percent": percent(report.matched),
        "difference": _amount(report.difference, measure),
        "measure": measure.value,
        "currency": CURRENCY if measure is Measure.USD else None,
        "tolerance_percent": percent(report.tolerance),
        "provider": report.provider,
        "from": day_text(report.first_day),
        "to": day_text(report.end_day),
        "softix": _amount(report.ours, measure),
        "bill": _amount(report.theirs, measure),
        "causes": _causes(report.causes(), measure),
        "unknown_models": list(report.unknown_models),
        "missing_models": list(report.missing_models),
        "rows_outside_period": report.outside_period,
        "rows_left_out": report.left_out,
    }


def _prose(report: Reconciliation, title: str) -> Iterator[str]:
    measure = report.measure
    yield f"{title}, provider {report.provider}, {day_text(report.first_day)} to {day_text(report.end_day - 1)} (UTC)"
    yield f"softix {_with_unit(report.ours, measure)}, bill {_with_unit(report.theirs, measure)}"
    for cause in report.causes():
        yield f"  {_told(cause, measure)}"
    if report.unknown_models:
        yield f"in the bill only: {_listed(report.unknown_models)}"
    if report.missing_models:
        yield f"in softix only: {_listed(report.missing_models)}"
    if report.outside_period:
        yield f"lines of the bill outside the period: {report.outside_period:,}"
    if report.left_out:
        yield f"rows of the file not about models, or of no cost: {report.left_out:,}"


def _told(cause: DifferenceCause, measure: Measure) -> str:
    requests = f" ({cause.requests:,} request{'s' if cause.requests != 1 else ''})" if cause.requests else ""
    return f"{cause.kind.value}{requests}: {_with_unit(cause.amount, measure)}"


def _explained(causes: Sequence[DifferenceCause], measure: Measure) -> str:
    if len(causes) == 1:
        return causes[0].kind.value
    return ", ".join(f"{cause.kind.value} {_amount(cause.amount, measure)}" for cause in causes)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more:,} more (--json lists all)" if more > 0 else "")
