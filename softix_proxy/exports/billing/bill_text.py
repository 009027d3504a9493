"""Renders a document for a terminal, on which no name or note in it may act."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from softix_proxy.domain.billing.bill import Document
from softix_proxy.domain.core.display import visible
from softix_proxy.exports.billing.bill_view import COLUMNS, LEDGER, Pair, view


def render(document: Document) -> str:
    page = view(document)
    blocks = [
        [visible(f"{page.title} {page.number}")],
        list(_pairs((Pair("From", page.seller[0]), Pair("To", page.buyer[0]), *page.facts[1:]))),
        list(_table([COLUMNS, *page.rows])),
        list(_pairs(page.totals, ">")),
        list(_pairs(page.account, ">")),
        list(map(visible, page.notes)),
        [LEDGER, *_pairs(page.ledger, ">")] if page.ledger else [],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _pairs(pairs: Sequence[Pair], align: str = "<") -> Iterator[str]:
    pairs = [Pair(visible(pair.label), visible(pair.value)) for pair in pairs]
    label = max((len(pair.label) for pair in pairs), default=0)
    value = max((len(pair.value) for pair in pairs), default=0)
    return (f"{pair.label:<{label}}  {pair.value:{align}{value}}".rstrip() for pair in pairs)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True)]
        yield "  ".join((f"{first:<{widths[0]}}", *cells)).rstrip()
