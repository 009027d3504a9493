"""The commands `softix usage show` and `explain`, which show one request and the origin of its charge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Command, echo_lines, instance, invocation, show
from softix_proxy.cli.metering.usage_attempts import as_fields as attempt_fields
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.metering.explanation import LIMITED_TO_HOLD, Explained
from softix_proxy.domain.metering.settlement import LIMITED_TO_BALANCE
from softix_proxy.domain.metering.usage import UsageRow, UsageSource
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.domain.pricing.rates import MODES, PricedMeter
from softix_proxy.exports.metering.columns import fields, format_factor
from softix_proxy.operations.metering import usage as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance


@click.command("show", cls=Command)
@click.argument("request_id")
@instance
async def show_(instance: Instance, request_id: str) -> None:
    """Show one request, and its price line by line. Example: softix usage show req_06ct4zwq3w001"""
    explained = await operations.explain(instance.storage, request_id)
    shown = {**fields(explained.row), "hold": format_usd(explained.row.hold_pico)}
    if invocation().as_json:
        more = {"lines": _line_fields(explained), "lines_charge": format_usd(explained.sum_pico)}
        show({**shown, **more, "failed_attempts": [attempt_fields(attempt) for attempt in explained.attempts]})
        return
    show({name: value for name, value in shown.items() if value is not None})
    if explained.lines:
        echo_lines(("", *_price_lines(explained)))
    if explained.attempts:
        echo_lines(("", *_attempt_lines(explained)))


@click.command(cls=Command)
@click.argument("request_id")
@instance
async def explain(instance: Instance, request_id: str) -> None:
    """Explain a charge line by line: quantity × unit price × mark-up.

    The exit code is 1 if the lines do not add up to what was charged.
    Example: softix usage explain req_06ct4zwq3w001
    """
    explained = await operations.explain(instance.storage, request_id)
    if invocation().as_json:
        show(as_fields(explained))
    else:
        echo_lines(_story(explained))
    if not explained.agrees:
        raise SystemExit(1)


def as_fields(explained: Explained) -> dict[str, Any]:
    """Converts one explained request to the fields that `--json` prints."""
    row = explained.row
    return {
        "request_id": format_request_id(row.request_id),
        "price_version": row.price_id,
        "cost_price_version": row.price_id if row.cost_price_id is None else row.cost_price_id or None,
        "service_tier": row.service_tier,
        "markup": format_factor(row.markup),
        "lines": _line_fields(explained),
        "cost_lines": [_cost_line_fields(line) for line in explained.cost_lines],
        "request_fee": format_usd(explained.fee_pico),
        "unpriced": list(explained.unpriced),
        "uncosted": list(explained.uncosted),
        "failed_attempts": [attempt_fields(attempt) for attempt in explained.attempts],
        "failed_attempts_charge": format_usd(explained.attempts_pico),
        "lines_charge": format_usd(explained.sum_pico),
        "hold": format_usd(row.hold_pico),
        "above_hold": format_usd(explained.above_hold_pico),
        "limited_to_balance": explained.is_noted(LIMITED_TO_BALANCE),
        "limited_to_hold": explained.is_noted(LIMITED_TO_HOLD),
        "charged_before": None if explained.earlier_pico is None else format_usd(explained.earlier_pico),
        "stated": explained.stated,
        "charge": format_usd(row.charge_pico),
        "provider_cost": format_usd(row.cost_pico),
        "usage_source": row.source.value,
        "note": row.note,
        "agrees": explained.agrees,
        "corrections": [_correction_fields(correction) for correction in explained.corrections],
        "charge_after_corrections": format_usd(explained.final_pico),
        "provider_cost_after_corrections": format_usd(explained.final_cost_pico),
    }


def _correction_fields(row: UsageRow) -> dict[str, Any]:
    return {
        "request_id": format_request_id(row.request_id),
        "posted_at": format_instant(row.id),
        "charge": format_usd(row.charge_pico),
        "provider_cost": format_usd(row.cost_pico),
        "note": row.note,
    }


def _line_fields(explained: Explained) -> list[dict[str, Any]]:
    costs = {line.meter: format_usd(line.cost_pico) for line in explained.cost_lines}
    return [
        {
            "meter": line.meter,
            "quantity": line.quantity,
            "unit_price": format(line.unit_price, "f"),
            "per": METERS[line.meter].per,
            "provider_cost": costs.get(line.meter),
            "charge": format_usd(line.charge_pico),
        }
        for line in explained.lines
    ]


def _cost_line_fields(line: PricedMeter) -> dict[str, Any]:
    return {
        "meter": line.meter,
        "quantity": line.quantity,
        "unit_price": format(line.unit_price, "f"),
        "per": METERS[line.meter].per,
        "provider_cost": format_usd(line.cost_pico),
    }


def _story(explained: Explained) -> Iterator[str]:
    """Yields the lines from the quantities to the charge and its corrections."""
    row = explained.row
    yield from _attempt_lines(explained)
    if explained.stated:
        yield "A correction, as its note states it."
    elif explained.cost_alone:
        yield "A correction of the provider's cost; the charge stays as it was."
    elif row.source is UsageSource.INTERRUPTED:
        yield f"Interrupted: nobody knows what was used. Held: {format_usd(row.hold_pico)} {CURRENCY}."
    elif explained.lines:
        yield from _price_lines(explained)
    else:
        yield "No price was applied."
    for name in explained.unpriced:
        nearest = "nearest" if MODES in (row.service_tier or "") else "standard"
        yield f"{name}: without a price" + (f", so that the {nearest} one applied" if name == "service_tier" else "")
    yield from _hold_story(explained)
    if explained.earlier_pico is not None:
        yield f"charged before: {format_usd(explained.earlier_pico)} {CURRENCY}"
    yield f"charged: {format_usd(row.charge_pico)} {CURRENCY}" + (f" ({row.note})" if row.note else "")
    yield from _cost_story(explained)
    costs_shown = row.cost_price_id is not None
    for correction in explained.corrections:
        day = str(format_instant(correction.id))[:10]
        if correction.charge_pico or not correction.cost_pico:
            yield f"corrected on {day}: {format_usd(correction.charge_pico)} {CURRENCY} ({correction.note})"
        else:
            costs_shown = True
            yield f"cost corrected on {day}: {format_usd(correction.cost_pico)} {CURRENCY} ({correction.note})"
    if costs_shown and explained.corrections:
        yield f"provider's cost in all: {format_usd(explained.final_cost_pico)} {CURRENCY}"
    if explained.corrections:
        yield f"charged in all: {format_usd(explained.final_pico)} {CURRENCY}"


def _hold_story(explained: Explained) -> Iterator[str]:
    """Yields the lines of a request that cost more than was held for it."""
    row = explained.row
    if not explained.above_hold_pico:
        return
    yield f"held: {format_usd(row.hold_pico)} {CURRENCY}"
    yield f"above what was held: {format_usd(explained.above_hold_pico)} {CURRENCY}"
    if explained.limited:
        yield f"limited to what was held and available: {format_usd(row.charge_pico)} {CURRENCY}"


def _cost_story(explained: Explained) -> Iterator[str]:
    """Yields the lines of the provider's cost if it is calculated by other prices than the charge."""
    row = explained.row
    if explained.stated or (row.cost_price_id is None and not explained.cost_alone):
        return
    version = row.price_id if row.cost_price_id is None else row.cost_price_id
    if version:
        yield f"What the provider asks, by price version {version}:"
        yield from _columns(
            (line.meter, f"{line.quantity:,}", _unit_price(line), f"= {format_usd(line.cost_pico)}")
            for line in explained.cost_lines
        )
    else:
        yield "What the provider asks is not known: the model has a price for this customer alone."
    for name in explained.uncosted:
        yield f"{name}: without a price of the provider's"
    if explained.earlier_cost_pico is not None:
        yield f"provider's cost before: {format_usd(explained.earlier_cost_pico)} {CURRENCY}"
    label = "provider's cost" if explained.cost_agrees else "provider's cost (differs from its lines)"
    yield f"{label}: {format_usd(row.cost_pico)} {CURRENCY}"


def _attempt_lines(explained: Explained) -> Iterator[str]:
    for attempt in explained.attempts:
        charged = f", charged {format_usd(attempt.charge_pico)} {CURRENCY}" if attempt.charge_pico else ""
        yield (
            f"attempt {attempt.sequence}: {attempt.provider}/{attempt.model} {attempt.status_code}"
            f" {attempt.error or ''} after {attempt.latency_ms} ms{charged}"
        )


def _price_lines(explained: Explained) -> Iterator[str]:
    """Yields columns of the form quantity × unit price × mark-up = charge."""
    factor = format_factor(explained.row.markup)
    cells = [
        (
            line.meter,
            f"{line.quantity:,}",
            _unit_price(line),
            f"× {factor}",
            f"= {format_usd(line.charge_pico)}",
        )
        for line in explained.lines
    ]
    if explained.fee_pico:
        fee = format_usd(explained.fee_pico)
        cells.append(("request fee", "1", f"× {fee}", "", f"= {fee}"))
    if explained.attempts_pico:
        failed = format_usd(explained.attempts_pico)
        cells.append(("failed attempts", str(len(explained.attempts)), "", "", f"= {failed}"))
    yield from _columns(cells)
    differs = explained.charge_pico != explained.row.charge_pico
    label = "sum (differs from what was charged)" if differs else "sum"
    yield f"{label}: {format_usd(explained.sum_pico)} {CURRENCY}"


def _unit_price(line: PricedMeter) -> str:
    return f"× {line.unit_price:f} / {METERS[line.meter].per:,}"


def _columns(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    cells = list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for name, quantity, *rest in cells:
        right = "  ".join(text.ljust(width) for text, width in zip(rest, widths[2:], strict=True))
        yield f"{name:<{widths[0]}}  {quantity:>{widths[1]}}  {right.rstrip()}"


COMMANDS = (show_, explain)
