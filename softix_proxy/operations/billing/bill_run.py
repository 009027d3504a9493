"""The billing run, which issues each customer's documents for a period.

Each customer's documents are one transaction. So an interrupted run continues where it stopped, and two runs at once
issue nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

from softix_proxy.domain.access.users import User
from softix_proxy.domain.billing import invoicing
from softix_proxy.domain.billing.bill import (
    BalanceStatement,
    CorrectionSum,
    Customer,
    Document,
    DocumentKind,
    DocumentReference,
    Payment,
    StoredDocument,
    UsageSum,
)
from softix_proxy.domain.billing.invoicing import DocumentAmounts, UnroundedLine, usd
from softix_proxy.domain.billing.seller import Billing, require_buyer
from softix_proxy.domain.billing.taxes import Treatment
from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import ConflictError, OperatorError
from softix_proxy.domain.core.money import CURRENCY
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.redating import BOOKED, TAKEN_BACK, copied_number
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.access import users
from softix_proxy.operations.billing import bill as bills
from softix_proxy.operations.billing import receipts
from softix_proxy.operations.ledger import periods
from softix_proxy.operations.ledger.periods import Closing
from softix_proxy.operations.notices import bill_notices

BillRunState = Literal["issued", "planned", "kept", "refused"]


@dataclass(frozen=True, slots=True)
class BillRunResult:
    """The result of the run for one document of one customer."""

    user: User
    state: BillRunState
    document: Document | None = None
    """None if it was refused. The number of a planned document is empty."""
    problem: str = ""
    remedy: str = ""


@dataclass(slots=True)
class _Facts:
    """The usage, corrections and payments of one user in the period, as the books have them."""

    usage: list[UsageSum] = field(default_factory=list)
    corrections: list[CorrectionSum] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    closing_pico: int = 0

    @property
    def charged_pico(self) -> int:
        return sum(one.charge_pico for one in self.usage) + sum(one.charge_pico for one in self.corrections)

    def moved_pico(self, kind: str) -> int:
        return sum(one.amount_pico for one in self.payments if one.kind == kind)


@dataclass(frozen=True, slots=True)
class _Work:
    """The inputs that are the same for all customers."""

    billing: Billing
    period: Closing
    sheets: Mapping[int, PriceSheet]
    dry: bool

    def days(self) -> tuple[date, date]:
        """Returns the first and the last day, in the time zone of the period."""
        at, span = calendar(self.period.zone), self.period.span
        return at.date(span.from_us), at.date(span.to_us - 1)


async def find_period(unit: Unit, label: str, zone: str, *, open_: bool) -> Closing:
    """Returns the closed period with this label. With `open_` it also returns one that is over and not closed.

    Raises BadInputError for a text that is no period. Raises ConflictError for a period that is not over or not closed.
    """
    closed = await unit.periods.find(label)
    if closed is not None:
        return Closing(closed.label, closed.zone, closed.span)
    asked = periods.asked(label, None, None, zone)
    if asked.span.to_us > unit.clock.now_us():
        raise ConflictError(f"{label} is not over: it ends at {format_instant(asked.span.to_us)}", "bill it after that")
    if not open_:
        raise ConflictError(
            f"{label} is not closed, so what it holds is not final",
            f"softix period close {label}, or bill it with --open",
        )
    return asked


async def run(
    storage: Storage, billing: Billing, label: str, *, user: str | None, open_: bool, dry: bool
) -> AsyncIterator[BillRunResult]:
    """Issues the missing documents, customer by customer. With `dry` it issues nothing.

    Raises as `find_period`, and NotFoundError.
    """
    reading = storage.reading()
    period = await find_period(reading, label, billing.zone, open_=open_)
    wanted = [await users.find(reading, user)] if user is not None else await reading.users.list()
    billing.require(None)
    sheets = {version.id: version.sheet for version in await reading.prices.list()}
    work = _Work(billing, period, sheets, dry)
    facts = await _facts(storage, work, wanted, wanted[0].id if user is not None else None)
    for one in wanted:
        if one.id not in facts:
            continue
        try:
            if dry:
                outcomes = await _Customer(work, reading, one, facts[one.id]).documents()
            else:
                async with storage.writing() as unit:
                    outcomes = await _Customer(work, unit, one, facts[one.id]).documents()
        except OperatorError as error:
            outcomes = [BillRunResult(one, "refused", None, error.message, error.remedy)]
        for outcome in outcomes:
            yield outcome


async def _facts(storage: Storage, work: _Work, wanted: Sequence[User], user_id: int | None) -> Mapping[int, _Facts]:
    """Returns the facts of each user for whom anything was posted. They are sums, however many requests there were."""
    span, found = work.period.span, defaultdict[int, _Facts](_Facts)
    steps = {band.above_input_tokens for sheet in work.sheets.values() for band in sheet.bands} - {0}
    reading = storage.reading()
    async for one in reading.bill.usage_sums(span, user_id, sorted(steps)):
        found[one.user_id].usage.append(one)
        if len(found[one.user_id].usage) > _MERGED_AT:
            found[one.user_id].usage = invoicing.merge(found[one.user_id].usage)
    async for correction in reading.bill.correction_sums(span, user_id, calendar(work.period.zone)):
        found[correction.user_id].corrections.append(correction)
    for payment in await reading.bill.payments(span, user_id):
        found[payment.user_id].payments.append(payment)
    async with storage.snapshot() as unit:  # balance, payments and charges are read at one moment
        later = await unit.bill.payments(Span(span.to_us, _FOREVER_US), user_id)
        charged = await unit.bill.charged_since(span.to_us, user_id)
        for user in (user for user in wanted if user.id in found and not user.postpaid):
            found[user.id].closing_pico = (await unit.balance.get(user.id)).posted_pico + charged.get(user.id, 0)
    for payment in later:
        if payment.user_id in found:
            found[payment.user_id].closing_pico -= payment.amount_pico
    return found


_FOREVER_US = 2**63 - 1
_MERGED_AT = 500
"""The number of sums of one user that are kept before similar ones are merged."""


@dataclass(slots=True)
class _Customer:
    """The documents of one customer for the period, in the order in which they are issued."""

    work: _Work
    unit: Unit
    user: User
    facts: _Facts
    outcomes: list[BillRunResult] = field(default_factory=list)
    carried_pico: int = 0

    async def documents(self) -> list[BillRunResult]:
        details = await bills.customer_of(self.unit, self.user)
        self.carried_pico = await self.unit.bill.carried_pico(self.user.id)
        await self._receipts(details)
        earlier = await self.unit.bill.of_period(self.user.id, self.work.period.span)
        for one in earlier:
            if one.covers and one.span != self.work.period.span:
                raise ConflictError(
                    f"{one.document.number} has a part of that time",
                    f"softix bill credit {one.document.number} --note TEXT, then bill anew",
                )
        self.outcomes += [BillRunResult(self.user, "kept", one.document) for one in earlier]
        if not any(one.covers for one in earlier):
            items = await self._credit_notes(details, earlier)
            await self._period(details, items)
        return self.outcomes

    def _paid_by_hand(self, top_ups: Sequence[Payment]) -> frozenset[int]:
        """Returns the numbers of the payments without Stripe that may have a receipt.

        Of one that was redated, that is the copy that booked it again: the first one, and the copy that takes it back,
        have none. References say which is which. The sign does not: what takes a withdrawal back is positive.
        """
        taken_back = {copied_number(one.reference, TAKEN_BACK) for one in self.facts.payments}
        return frozenset(
            one.id
            for one in top_ups
            if one.amount_pico > 0 and one.id not in taken_back and copied_number(one.reference, TAKEN_BACK) is None
        )

    async def _receipts(self, details: Customer) -> None:
        top_ups = [one for one in self.facts.payments if one.kind == "top-up"]
        first = {one.id: copied_number(one.reference, BOOKED) or one.id for one in top_ups}
        numbers = sorted({*first, *first.values()})
        online = await self.unit.payments.of_transfers(numbers)
        by_hand = self._paid_by_hand([one for one in top_ups if first[one.id] not in online])
        paid = [one for one in top_ups if one.id in online or one.id in by_hand]
        receipted = await self.unit.bill.receipted(numbers)
        done = {number for number, first_one in first.items() if number in receipted or first_one in receipted}
        for payment in (one for one in paid if one.id not in done):
            posting, period = online.get(payment.id), self.work.period.label
            drafted = await receipts.draft(
                self.unit, self.work.billing, self.user, details, payment, posting, period=period
            )
            if drafted is not None:
                await self._issue(drafted)

    async def _credit_notes(self, details: Customer, earlier: Sequence[StoredDocument]) -> list[UnroundedLine]:
        """Issues one credit note for each invoice that corrections reduced. Returns the other corrections."""
        groups: dict[int | None, list[CorrectionSum]] = defaultdict(list)
        for correction in self.facts.corrections:
            groups[correction.about_id].append(correction)
        credited = {(await self.unit.bill.get(one.about_id)).span for one in earlier if one.about_id is not None}
        items: list[UnroundedLine] = []
        numbers: dict[int, str] = {}
        for about_id, group in sorted(groups.items(), key=lambda item: item[0] or 0):
            about = await self.unit.bill.get(about_id) if about_id is not None else None
            if about is not None:
                numbers[about.id] = about.document.number
            amount_pico = sum(one.charge_pico for one in group)
            if about is None or about.document.kind is not DocumentKind.INVOICE or amount_pico > -invoicing.CENT_PICO:
                items += invoicing.correction_items(group, numbers)
            elif about.span not in credited:
                await self._credit_note(details, about, invoicing.correction_items(group, numbers))
        return items

    async def _credit_note(self, details: Customer, about: StoredDocument, items: Sequence[UnroundedLine]) -> None:
        invoice = about.document
        treatment = (
            Treatment(invoice.tax.category, invoice.tax.rate, invoice.tax.reason, invoice.tax.reason_code)
            if invoice.tax
            else None
        )
        amounts = invoicing.add_up(items, self.carried_pico, treatment, credit=True)
        document = replace(
            self._document(DocumentKind.CREDIT_NOTE, details, amounts),
            about=(DocumentReference(invoice.number, invoice.issued_on),),
            notes=(f"Corrects invoice {invoice.number} of {invoice.issued_on.isoformat()}.",),
        )
        await self._issue(self._bill(document, amounts=amounts, about_id=about.id))

    async def _period(self, details: Customer, corrections: Sequence[UnroundedLine]) -> None:
        items = [*invoicing.usage_items(self.facts.usage, self.work.sheets), *corrections]
        if self.user.postpaid:
            if items:
                await self._invoice(details, items)
        elif items or self.facts.payments:
            amounts = invoicing.add_up(items, self.carried_pico, None)
            document = replace(
                self._document(DocumentKind.STATEMENT, details, amounts),
                totals=invoicing.settled(amounts.totals),
                account=self._account(),
                payment="Paid from the prepaid balance",
            )
            await self._issue(self._bill(document, amounts=amounts, covers=True))

    async def _invoice(self, details: Customer, items: Sequence[UnroundedLine]) -> None:
        """Issues the invoice, or a credit note if corrections took back more than was used."""
        treatment = self.work.billing.treatment(details)
        self._require(details, treatment)
        credit = sum(item.exact_pico for item in items) + self.carried_pico <= -invoicing.CENT_PICO
        amounts = invoicing.add_up(items, self.carried_pico, treatment, credit=credit)
        document = self._document(DocumentKind.CREDIT_NOTE if credit else DocumentKind.INVOICE, details, amounts)
        billing = self.work.billing
        if not credit:
            due_on = document.issued_on + timedelta(days=billing.payment_days)
            document = replace(document, due_on=due_on, payment=billing.iban or "")
        await self._issue(self._bill(document, amounts=amounts, covers=True))

    def _account(self) -> BalanceStatement:
        facts = self.facts
        paid_in_pico, adjusted_pico = facts.moved_pico("top-up"), facts.moved_pico("adjustment")
        opening_pico = facts.closing_pico - paid_in_pico - adjusted_pico + facts.charged_pico
        return BalanceStatement(
            *(usd(pico) for pico in (opening_pico, paid_in_pico, adjusted_pico, facts.charged_pico, facts.closing_pico))
        )

    def _require(self, details: Customer, treatment: Treatment | None) -> None:
        if treatment is not None:
            self.work.billing.require(treatment)
            require_buyer(self.user.name, details.party, treatment)

    def _document(self, kind: DocumentKind, details: Customer, amounts: DocumentAmounts) -> Document:
        first_day, last_day = self.work.days()
        return Document(
            number="",
            kind=kind,
            issued_on=calendar(self.work.billing.zone).date(self.unit.clock.now_us()),
            due_on=None,
            period=self.work.period.label,
            first_day=first_day,
            last_day=last_day,
            currency=CURRENCY,
            seller=self.work.billing.party,
            buyer=details.party,
            user=self.user.public_id,
            lines=amounts.lines,
            totals=amounts.totals,
            tax=amounts.tax,
            ledger=amounts.ledger,
        )

    def _bill(
        self,
        document: Document,
        *,
        amounts: DocumentAmounts | None = None,
        covers: bool = False,
        about_id: int | None = None,
        transfer_id: int | None = None,
    ) -> StoredDocument:
        return StoredDocument(
            id=0,
            user_id=self.user.id,
            document=document,
            span=self.work.period.span if amounts else None,
            covers=covers,
            issued_at_us=self.unit.clock.now_us(),
            about_id=about_id,
            transfer_id=transfer_id,
            exact_pico=amounts.exact_pico if amounts else None,
            carried_pico=amounts.carried_pico if amounts else None,
        )

    async def _issue(self, draft: StoredDocument) -> None:
        if draft.carried_pico is not None:
            self.carried_pico = draft.carried_pico
        document = draft.document
        if not self.work.dry:
            series = self.work.billing.series(document.kind, document.issued_on.year)
            document = (await self.unit.bill.add(draft, series)).document
            await bill_notices.tell(self.unit, self.user.id, document)
        self.outcomes.append(BillRunResult(self.user, "planned" if self.work.dry else "issued", document))
