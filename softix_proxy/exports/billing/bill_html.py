"""Renders a document as one HTML page, which is self-contained and laid out for paper."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from softix_proxy.domain.billing.bill import Document
from softix_proxy.exports.billing.bill_view import COLUMNS, LEDGER, Pair, View, view

_STYLE = """
@page { size: A4; margin: 18mm 20mm; }
:root { color-scheme: light; --ink: #16202a; --soft: #5b6875; --line: #d5dbe1; --tint: #f4f6f8; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 190mm; padding: 14mm 10mm; color: var(--ink); background: #fff;
  font: 10.5pt/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header { display: flex; justify-content: space-between; gap: 10mm; margin-bottom: 12mm; }
h1 { margin: 0; font-size: 24pt; font-weight: 600; letter-spacing: -0.01em; line-height: 1.1; }
.number { color: var(--soft); font-size: 12pt; }
address { font-style: normal; }
.seller { text-align: right; }
.seller strong, .buyer strong { display: block; font-weight: 600; }
.small { color: var(--soft); font-size: 8.5pt; }
.parties { display: flex; justify-content: space-between; gap: 10mm; margin-bottom: 10mm; }
dl { display: grid; grid-template-columns: auto auto; gap: 1mm 8mm; margin: 0; align-content: start; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-size: 8.5pt; font-weight: 600; text-align: right; vertical-align: bottom;
  border-bottom: 1.5px solid var(--ink); padding: 0 0 1.5mm 4mm; white-space: nowrap; }
td { text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); padding: 1.8mm 0 1.8mm 4mm;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; overflow-wrap: anywhere; }
tr { break-inside: avoid; }
thead { display: table-header-group; }
.below { display: flex; justify-content: space-between; align-items: flex-start; gap: 10mm; margin-top: 6mm;
  break-inside: avoid; }
.totals { min-width: 70mm; margin-left: auto; }
.strong { color: var(--ink); font-weight: 600; }
dt.strong, dd.strong { border-top: 1px solid var(--line); padding-top: 1mm; }
.account, .ledger { background: var(--tint); border-radius: 2mm; padding: 3mm 4mm; }
.notes { margin: 8mm 0; }
p.small { margin: 0 0 1mm; }
.notes p { margin: 0 0 1.5mm; }
.ledger { font-size: 8.5pt; display: inline-grid; }
footer { margin-top: 10mm; padding-top: 3mm; border-top: 1px solid var(--line); }
@media print { body { max-width: none; padding: 0; }
  .account, .ledger { background: none; border: 1px solid var(--line); } }
@media (max-width: 640px) { header, .parties, .below { flex-direction: column; } .seller { text-align: left; }
  table { font-size: 8.5pt; } .totals { margin-left: 0; width: 100%; } }
"""


def render(document: Document) -> bytes:
    page = view(document)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>{escape(f'{page.title} {page.number}')}</title>",
        f"<style>{_STYLE}</style></head><body>",
        f'<header><div><h1>{escape(page.title)}</h1><div class="number">{escape(page.number)}</div></div>',
        f'<address class="seller">{_lines(page.seller)}</address></header>',
        f'<div class="parties"><address class="buyer">{_lines(page.buyer)}</address>',
        f"{_pairs(page.facts, 'facts')}</div>",
        _table(page),
        f'<div class="below">{_pairs(page.account, "account")}{_pairs(page.totals, "totals")}</div>',
        f'<div class="notes">{"".join(f"<p>{escape(note)}</p>" for note in page.notes)}</div>',
        f'<p class="small">{LEDGER}</p>' if page.ledger else "",
        _pairs(page.ledger, "ledger"),
        f'<footer class="small">{escape(page.footer)}</footer></body></html>',
    ]
    return "\n".join(part for part in parts if part).encode()


def _lines(lines: Iterable[str]) -> str:
    first, *rest = lines
    return "<br>".join((f"<strong>{escape(first)}</strong>{escape(rest[0]) if rest else ''}", *map(escape, rest[1:])))


def _pairs(pairs: Iterable[Pair], name: str) -> str:
    cells = [
        f"<dt{mark}>{escape(pair.label)}</dt><dd{mark}>{escape(pair.value)}</dd>"
        for pair in pairs
        for mark in [' class="strong"' if pair.strong else ""]
    ]
    return f'<dl class="{name}">{"".join(cells)}</dl>' if cells else ""


def _table(page: View) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in COLUMNS)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in page.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
