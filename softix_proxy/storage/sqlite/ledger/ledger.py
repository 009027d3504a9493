"""The ledger: the only way to post outside the hot path, and the proof that the books are right."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.ledger import (
    AccountBalance,
    LedgerViolation,
    PostingBatch,
    Transfer,
    VerificationResult,
)
from softix_proxy.domain.ledger.redating import MisdatedPosting
from softix_proxy.domain.metering.usage import Correction, UsageRow
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping
from softix_proxy.storage.sqlite.ledger import corrections, ledger_postings, ledger_sums, redating
from softix_proxy.storage.sqlite.ledger import ledger_sql as sql
from softix_proxy.storage.sqlite.metering import budget_sums, cap_sums, usage

_TRANSFER = RecordMapping(Transfer, "id", "from_account", "to_account", "amount_pico", "kind", "reference", "note")
_SHOWN = 100
"""The number of violations that are reported for one rule."""


class SqliteLedgerStore:
    """Posts transfers and corrections, and verifies the books."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def post(self, transfer: Transfer, number: int | None = None) -> Transfer:
        """Posts a transfer. `number` is a free one, if the posting does not belong to the present."""
        if transfer.amount_pico > MAX_PICO:
            raise BadInputError("the amount is too large", "one posting moves up to $9,223,372; go in two steps")
        posted = replace(transfer, id=await self._session.next_number() if number is None else number)
        for account, amount_pico in (
            (transfer.from_account, -transfer.amount_pico),
            (transfer.to_account, transfer.amount_pico),
        ):
            if account > 0:
                await self._move(account, amount_pico)
        await self._session.insert("transfers", _TRANSFER.row(posted))
        return posted

    async def _move(self, user_id: int, amount_pico: int) -> None:
        row = await self._session.one("SELECT posted_pico FROM wallets WHERE user_id = ?", user_id)
        if row is None:
            raise NotFoundError(f"no wallet of the user with the number {user_id}")
        after_pico = int(row[0]) + amount_pico
        if abs(after_pico) > MAX_PICO:
            raise BadInputError("the balance would be too large", "a wallet holds up to $9,223,372")
        await self._session.update("wallets", {"posted_pico": after_pico}, "user_id = ?", user_id)

    async def correct(self, correction: Correction) -> UsageRow:
        return await usage.row(self._session, await corrections.post(self._session, self.post, correction))

    async def by_reference(self, reference: str) -> Transfer | None:
        row = await self._session.one(f"SELECT {_TRANSFER.select()} FROM transfers WHERE reference = ?", reference)
        return _TRANSFER.read(row) if row else None

    async def accounts(self) -> Sequence[AccountBalance]:
        return await self._accounts(await ledger_sums.entries(self._session))

    async def _accounts(self, sums: Mapping[int, int]) -> Sequence[AccountBalance]:
        names: dict[int, str] = dict(await self._session.all("SELECT id, name FROM accounts ORDER BY id DESC"))
        operator = [AccountBalance(name, sums.get(number, 0)) for number, name in names.items()]
        return [*operator, AccountBalance("wallets", sum(sums[account] for account in sums if account not in names))]

    def misdated(self, span: Span) -> AsyncIterator[Sequence[MisdatedPosting]]:
        return redating.find(self._session, span)

    async def closed_us(self) -> int:
        return await redating.closed_us(self._session)

    async def redate(self, misdated: MisdatedPosting, booked_us: int, note: str) -> bool:
        return await redating.redate(self._session, self.post, misdated, booked_us, note)

    async def first_posted(self, span: Span) -> int | None:
        return await ledger_postings.first(self._session, span)

    async def last_posted(self) -> int:
        return await ledger_postings.last(self._session)

    def postings(self, span: Span, user_id: int | None) -> AsyncIterator[PostingBatch]:
        return ledger_postings.one_by_one(self._session, span, user_id)

    def sums(self, span: Span, user_id: int | None) -> AsyncIterator[PostingBatch]:
        return ledger_postings.sums(self._session, span, user_id)

    async def verify(self) -> VerificationResult:
        violations: list[LedgerViolation] = []
        for rule, statement in sql.RULES.items():
            for subject, detail in await self._session.all(f"{statement} LIMIT {_SHOWN}"):
                violations.append(LedgerViolation(rule, str(subject), str(detail)))
        sums = await ledger_sums.entries(self._session)
        violations += (await ledger_sums.wrong_balances(self._session, sums))[:_SHOWN]
        violations += await ledger_sums.wrong_usage_sums(self._session, _SHOWN)
        violations += (await budget_sums.wrong_spend(self._session))[:_SHOWN]
        violations += (await cap_sums.wrong_spend(self._session))[:_SHOWN]
        [(transfers, usage_rows, open_holds)] = await self._session.all(sql.COUNTS)
        return VerificationResult(transfers, usage_rows, open_holds, tuple(violations))
