"""Makes a journal of a payment provider's fees and payouts, from the provider's own reports.

Only those reports have all of them, and no wallet has a part of them. So they are no postings of the ledger. The
journal has the accounts of the other exports, so that one set of books takes both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import PICO_PER_CENT
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.ledger import BANK, FEES, Posting
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.reporting.payment_reconciliation import BalanceReportLine
from softix_proxy.exports.ledger.form import ExportFormat, ExportOptions, FilePiece
from softix_proxy.exports.reporting.formats import FORMS

FORMATS: Sequence[str] = tuple(name for name, form in FORMS.items() if "bank" in form.names.defaults)
"""The formats that are journals. Invoices and lists of costs have no entry for a fee."""
_FEE_CATEGORIES = frozenset({"fee", "network_cost", "tax"})
"""Lines that are a fee as a whole, such as that for an account or for a dispute."""
_BANK_CATEGORIES = frozenset({"payout", "payout_reversal", "topup", "topup_reversal"})
"""Lines that move money between the provider's balance and a bank account."""
_PROVIDER = "Stripe"

_EntryKind = Literal["fee", "payout"]


@dataclass(frozen=True, slots=True)
class PaymentJournal:
    """The journal, and what it has and has not."""

    pieces: Sequence[FilePiece]
    first_day: int
    """The number of days since 1970, UTC."""
    end_day: int
    fees_pico: int
    payouts_pico: int
    """What went to the bank, less what came back."""
    left_out: Mapping[str, int]
    """Reporting category → net amount, in pico-USD, of lines that are neither, such as payments of other programs."""


async def journal(
    storage: Storage, report: Iterable[BalanceReportLine], form: str, names: Sequence[str], *, opens: bool
) -> PaymentJournal:
    """Makes one entry for the fees and one for the payouts of each day (UTC). A line that comes twice counts once.

    `opens` is whether the accounts of fees and the bank are new in the books, for formats that open accounts. Raises
    BadInputError for a format or a name that cannot be used, and for reports without lines.
    """
    made = FORMS[form] if form in FORMATS else None
    if made is None:
        raise BadInputError(f"{form} has no journal entries", f"choose {' or '.join(FORMATS)}")
    chart = made.names.chart(names)
    if chart["cash"] == chart["bank"]:
        raise BadInputError(
            f"cash and bank are both {chart['bank']!r}", "name what Stripe has and what the bank has differently"
        )
    sums: defaultdict[tuple[int, _EntryKind], int] = defaultdict(int)
    left_out: defaultdict[str, int] = defaultdict(int)
    days = set[int]()
    async with storage.snapshot() as unit:
        known = _KnownPayments(unit)
        for line in _once(report):
            days.add(line.day)
            gross_pico = line.gross_cents * PICO_PER_CENT
            if line.category in _FEE_CATEGORIES:
                sums[line.day, "fee"] += line.fee_pico - gross_pico
            elif line.category in _BANK_CATEGORIES:
                sums[line.day, "payout"] -= gross_pico
                sums[line.day, "fee"] += line.fee_pico
            elif line.cause is not None and await known.has(line.intent_id):
                sums[line.day, "fee"] += line.fee_pico
            else:
                left_out[line.category or "none"] += gross_pico - line.fee_pico
    if not days:
        raise BadInputError("the report has no lines", "export it again, with more days")
    span = Span(min(days) * DAY_US, (max(days) + 1) * DAY_US)
    opened = frozenset({"cash"} if opens else {"cash", "fees", "bank"})
    options = ExportOptions(span, f"payments-{form}", "day", chart, prefix="SXP", opened=opened)
    postings = [_posting(day, kind, pico) for (day, kind), pico in sorted(sums.items()) if pico]
    return PaymentJournal(
        pieces=list(_pieces(made, options, postings)),
        first_day=min(days),
        end_day=max(days) + 1,
        fees_pico=sum(pico for (_, kind), pico in sums.items() if kind == "fee"),
        payouts_pico=sum(pico for (_, kind), pico in sums.items() if kind == "payout"),
        left_out=dict(left_out),
    )


class _KnownPayments:
    """Remembers which of the provider's payments are in the books."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._known: dict[str, bool] = {"": False}

    async def has(self, intent_id: str) -> bool:
        if intent_id not in self._known:
            self._known[intent_id] = await self._unit.payments.by_intent(intent_id) is not None
        return self._known[intent_id]


def _once(report: Iterable[BalanceReportLine]) -> Iterator[BalanceReportLine]:
    seen = set[str]()
    for line in report:
        if not line.id or line.id not in seen:
            seen.add(line.id)
            yield line


def _posting(day: int, kind: _EntryKind, pico: int) -> Posting:
    """Returns what the writers take. It is dated at noon, which is the same day in UTC."""
    return Posting(
        id=day * DAY_US + DAY_US // 2,
        kind=kind,
        account=FEES if kind == "fee" else BANK,
        user_id=_PROVIDER.lower(),
        user_name=_PROVIDER,
        wallet_pico=pico,
        cost_pico=0,
        provider=None,
        model=None,
        requests=0,
        input_tokens=0,
        output_tokens=0,
    )


def _pieces(form: ExportFormat, options: ExportOptions, postings: Sequence[Posting]) -> Iterator[FilePiece]:
    writer = form.make(options)
    yield from writer.feed(postings)
    yield from writer.end()
