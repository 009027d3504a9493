"""Shows the effect of `softix prices set`: each unit price before and after, what stays, and what no longer fits."""

from __future__ import annotations

from typing import Any

from softix_proxy.cli.console.console import invocation, rehearsed, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.pricing.price_changes import UnitPriceChange
from softix_proxy.operations.pricing.price_changes import ChangedPrice

_COLUMNS = TableLayout(("tier", "above", "price", "old", "new", "change"), leave=("above", "change"))


def change_fields(change: UnitPriceChange) -> dict[str, Any]:
    """Returns the fields of one changed unit price for programs."""
    old, new = change.old, change.new
    return {
        "price": change.price_key,
        "service_tier": change.service_tier,
        "above_input_tokens": change.above_input_tokens,
        "old": None if old is None else format(old, "f"),
        "new": None if new is None else format(new, "f"),
        "change": f"{(new - old) / old * 100:+.1f}%" if old and new is not None else None,
    }


def change_row(change: UnitPriceChange) -> dict[str, Any]:
    """Returns the row of one changed unit price for people."""
    told = change_fields(change)
    return {
        "tier": change.service_tier,
        "above": change.above_input_tokens or None,
        "price": change.price_key,
        "old": told["old"],
        "new": told["new"],
        "change": _word(change, told["change"]),
    }


_BANDS = TableLayout(("tier", "above", "prices"), leave=("above",), prose=("prices",))


def show_price(fields: dict[str, Any]) -> None:
    """Shows a price. For people, each service tier and each context length has a line of its own."""
    bands = fields["bands"]
    if invocation().as_json or len(bands) < 2:
        show(fields)
        return
    show({name: value for name, value in fields.items() if name != "bands"})
    show_all(
        [{"tier": b["service_tier"], "above": b["above_input_tokens"] or None, "prices": b["prices"]} for b in bands],
        _BANDS,
    )


def show_changed(changed: ChangedPrice, fields: dict[str, Any], dry_run: bool) -> None:
    """Shows the effect of a price change: each unit price before and after, and odd proportions."""
    warnings = [oddity.sentence for oddity in changed.oddities]
    if dry_run:
        fields = fields | {"version": None}
    if invocation().as_json:
        told = {
            "changes": [change_fields(change) for change in changed.prices if change.old != change.new],
            "kept": [change_fields(change) for change in changed.prices if change.old == change.new],
            "warnings": warnings,
            "remedies": [changed.remedy(oddity) for oddity in changed.oddities],
            "remarks": list(changed.remarks),
        }
        show(rehearsed(fields | told, dry_run))
        return
    show(rehearsed({name: value for name, value in fields.items() if name not in ("prices", "bands")}, dry_run))
    if changed.prices:
        show_all([change_row(change) for change in changed.prices], _COLUMNS)
    for remark in changed.remarks:
        say(remark)
    for oddity, warning in zip(changed.oddities, warnings, strict=True):
        say(f"warning: {warning}", changed.remedy(oddity))


def _word(change: UnitPriceChange, percent: str | None) -> str | None:
    """Returns the change in one word or in per cent, or None if the price was zero before."""
    if change.old == change.new:
        return "stays"
    return "new" if change.old is None else "taken away" if change.new is None else percent
