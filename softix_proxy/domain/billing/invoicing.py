"""The arithmetic of documents: from charges to lines, cents, tax and totals. It is pure and exact.

Each line is rounded to cents by itself, so that quantity × price is its amount. The difference to the ledger becomes a
line of its own if it makes a cent. Otherwise it is carried to the customer's next document. So no document is ever off
by more than half a cent, and all of them together equal the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from softix_proxy.domain.billing.bill import (
    CorrectionSum,
    DocumentLine,
    DocumentTax,
    DocumentTotals,
    LedgerNote,
    UsageSum,
)
from softix_proxy.domain.billing.taxes import Treatment
from softix_proxy.domain.core.money import PICO_PER_USD, divide_half_even, format_usd
from softix_proxy.domain.metering.explanation import LIMITED_TO_HOLD
from softix_proxy.domain.metering.settlement import LIMITED_TO_BALANCE
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.domain.pricing.prices import format_markup, marked_up
from softix_proxy.domain.pricing.rates import PriceSheet, Rate

CENT_PICO = PICO_PER_USD // 100
ZERO = Decimal("0.00")
FEE = "fee"
"""The name that is used among the meters for the fee of a request."""
_NAMES = {name: name.replace("_", " ") for name in METERS} | {
    "cache_write_5m_tokens": "cache write tokens (5 minutes)",
    "cache_write_1h_tokens": "cache write tokens (1 hour)",
    "web_search_calls": "web searches",
    "audio_ms": "audio, milliseconds",
    "characters": "characters to speak",
    FEE: "request fee",
}
_UNITS = {"audio_ms": "C26"}
_LABELS = {
    "interrupted": "requests that were interrupted, charged as held",
    LIMITED_TO_HOLD: "limited to the amounts that were held",
    LIMITED_TO_BALANCE: "limited to the amounts that were held and available",
    "": "other charges",
}
_ORDER = {name: number for number, name in enumerate((*METERS, FEE))}


class _Key(NamedTuple):
    """The subject of a line. An empty meter means an amount that no price explains."""

    model: str
    meter: str
    unit_price: Decimal
    markup: Fraction
    label: str


@dataclass(frozen=True, slots=True)
class UnroundedLine:
    """A line before it is rounded."""

    line: DocumentLine
    exact_pico: int


@dataclass(frozen=True, slots=True)
class DocumentAmounts:
    """All figures of a document."""

    lines: tuple[DocumentLine, ...]
    totals: DocumentTotals
    tax: DocumentTax | None
    ledger: LedgerNote
    exact_pico: int
    carried_pico: int


def merge(sums: Iterable[UsageSum]) -> list[UsageSum]:
    """Adds up the sums that are alike in all but their quantities."""
    merged: dict[tuple[object, ...], UsageSum] = {}
    for one in sums:
        price = (one.price_id, one.service_tier, one.band_tokens, one.markup, one.fee_pico)
        key = (one.user_id, one.model_id, *price, one.label)
        known = merged.get(key)
        if known is not None:
            meters = {
                name: known.meters.get(name, 0) + one.meters.get(name, 0) for name in {*known.meters, *one.meters}
            }
            one = replace(
                one, rows=known.rows + one.rows, meters=meters, charge_pico=known.charge_pico + one.charge_pico
            )
        merged[key] = one
    return list(merged.values())


def usage_items(sums: Iterable[UsageSum], sheets: Mapping[int, PriceSheet]) -> list[UnroundedLine]:
    """Returns one item for each model, meter, unit price and mark-up.

    Together they are what was charged, to the pico-dollar. An amount that no price explains (a hold that was charged or
    that limited a charge) is an item of its own.
    """
    found: dict[_Key, list[int]] = {}
    for one in merge(sums):
        for key, quantity, exact_pico in _parts(one, sheets):
            known = found.setdefault(key, [0, 0])
            known[0] += quantity
            known[1] += exact_pico
    ordered = sorted(found.items(), key=lambda item: _place(item[0]))
    return [_item(key, quantity, exact_pico) for key, (quantity, exact_pico) in ordered if exact_pico]


def _parts(one: UsageSum, sheets: Mapping[int, PriceSheet]) -> list[tuple[_Key, int, int]]:
    sheet = sheets.get(one.price_id) if one.price_id is not None else None
    lines = (
        Rate(one.price_id or 0, sheet, one.markup).lines(one.meters, one.service_tier, one.band_tokens) if sheet else ()
    )
    parts = [
        (_Key(one.model, line.meter, line.unit_price, one.markup, ""), line.quantity, line.charge_pico)
        for line in lines
    ]
    if one.fee_pico:
        key = _Key(one.model, FEE, usd(one.fee_pico), Fraction(1), "")
        parts.append((key, one.rows, one.fee_pico * one.rows))
    rest_pico = one.charge_pico - sum(part[2] for part in parts)
    # Each request was rounded meter by meter, by half a pico-dollar at most. The sums are rounded once.
    rounding_pico = (one.rows + 1) * len(lines)
    if parts and abs(rest_pico) <= rounding_pico:
        dearest = max(range(len(lines) or 1), key=lambda number: parts[number][2])
        key, quantity, exact_pico = parts[dearest]
        parts[dearest] = key, quantity, exact_pico + rest_pico
    elif rest_pico:
        parts.append((_Key(one.model, "", Decimal(0), Fraction(1), one.label), 1, rest_pico))
    return parts


def _place(key: _Key) -> tuple[object, ...]:
    return key.model, _ORDER.get(key.meter, len(_ORDER)), key.unit_price, key.markup, key.label


def _item(key: _Key, quantity: int, exact_pico: int) -> UnroundedLine:
    if not key.meter:
        return single(f"{key.model}: {_LABELS[key.label]}", exact_pico)
    line = DocumentLine(
        description=f"{key.model}: {_NAMES[key.meter]}",
        quantity=quantity,
        per=1 if key.meter == FEE else METERS[key.meter].per,
        price=Decimal(marked_up(key.unit_price, key.markup)),
        net=ZERO,
        exact=ZERO,
        unit_price=key.unit_price,
        markup=format_markup(key.markup),
        unit=_UNITS.get(key.meter, "C62"),
    )
    return UnroundedLine(line, exact_pico)


def correction_items(sums: Iterable[CorrectionSum], numbers: Mapping[int, str]) -> list[UnroundedLine]:
    """Returns one item for each model, corrected document or month, and reason.

    `numbers` are those of the documents.
    """
    found: dict[tuple[str, str, str], int] = {}
    for one in sums:
        about = f"{one.month}, {numbers[one.about_id]}" if one.about_id is not None else one.month
        key = (one.model, about, one.note)
        found[key] = found.get(key, 0) + one.charge_pico
    return [
        single(f"{model}: correction of {about}" + (f" ({note})" if note else ""), exact_pico)
        for (model, about, note), exact_pico in sorted(found.items())
        if exact_pico
    ]


def single(description: str, exact_pico: int) -> UnroundedLine:
    """Returns an item of quantity one, whose price is its amount."""
    amount = abs(divide_half_even(exact_pico, CENT_PICO))
    return UnroundedLine(
        DocumentLine(description, 1 if exact_pico >= 0 else -1, 1, cents(amount), ZERO, ZERO), exact_pico
    )


def cents(number: int) -> Decimal:
    return Decimal(number).scaleb(-2)


def usd(pico: int) -> Decimal:
    return Decimal(format_usd(pico))


def add_up(
    items: Sequence[UnroundedLine], carried_pico: int, treatment: Treatment | None, *, credit: bool = False
) -> DocumentAmounts:
    """Returns lines, totals and tax.

    With `credit` the signs are reversed, so that a credit note's amounts are positive.
    """
    sign = -1 if credit else 1
    exact_pico = sum(item.exact_pico for item in items)
    total = divide_half_even(carried_pico + exact_pico, CENT_PICO)
    lines = [_rounded(item, sign) for item in items]
    rounding = sign * total - sum(_in_cents(line.net) for line in lines)
    if rounding:
        lines.append(_rounded(single("Rounding to the ledger's sum", sign * rounding * CENT_PICO), sign))
        lines[-1] = replace(lines[-1], exact=ZERO)
    carried_on_pico = carried_pico + exact_pico - total * CENT_PICO
    totals, tax = tax_on(sign * total, treatment)
    ledger = LedgerNote(usd(exact_pico), usd(carried_pico), usd(carried_on_pico))
    return DocumentAmounts(tuple(lines), totals, tax, ledger, exact_pico, carried_on_pico)


def _in_cents(amount: Decimal) -> int:
    return int(amount.scaleb(2))


def _rounded(item: UnroundedLine, sign: int) -> DocumentLine:
    line = item.line
    return replace(
        line,
        quantity=sign * line.quantity,
        net=cents(sign * divide_half_even(item.exact_pico, CENT_PICO)),
        exact=usd(sign * item.exact_pico),
    )


def tax_on(net_cents: int, treatment: Treatment | None) -> tuple[DocumentTotals, DocumentTax | None]:
    """Returns the totals and the tax on the whole, which is rounded once.

    Half a cent is rounded away from zero, as tax offices do.
    """
    net, tax = cents(net_cents), None
    if treatment is not None:
        numerator, denominator = (abs(net_cents) * Fraction(treatment.rate) / 100).as_integer_ratio()
        amount = (2 * numerator + denominator) // (2 * denominator)
        tax = DocumentTax(
            category=treatment.category,
            rate=treatment.rate,
            basis=net,
            amount=cents(amount if net_cents >= 0 else -amount),
            reason=treatment.reason,
            reason_code=treatment.reason_code,
        )
    added = tax.amount if tax else ZERO
    return DocumentTotals(net=net, tax=added, gross=net + added, paid=ZERO, due=net + added), tax


def settled(totals: DocumentTotals) -> DocumentTotals:
    """Returns the totals of a paid document, with nothing left to pay."""
    return replace(totals, paid=totals.gross, due=ZERO)
