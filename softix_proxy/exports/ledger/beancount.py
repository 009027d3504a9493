"""Writes journals for beancount.

Accounts are opened where they are first used, and each wallet's balance is asserted at the end. Assertions carry `~ 0`,
because the tolerance that beancount infers would hide differences below a cent. Syntax:
https://beancount.github.io/docs/beancount_language_syntax.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache

from softix_proxy.domain.core.clock import from_us
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.ledger.ledger import Posting
from softix_proxy.exports.ledger.accounts import AccountNames, JournalLeg, legs, title
from softix_proxy.exports.ledger.form import ExportFormat, ExportOptions, FilePiece
from softix_proxy.exports.ledger.plain_text import code_of, one_line, tags

NAMES = AccountNames(
    {
        "cash": "Assets:Cash",
        "wallets": "Liabilities:Prepaid",
        "revenue": "Income:AI",
        "adjustments": "Equity:Adjustments",
        "costs": "Expenses:AI",
        "payables": "Liabilities:Providers",
        "fees": "Expenses:Payment-Fees",
        "bank": "Assets:Bank",
    },
    re.compile(r"(?:Assets|Liabilities|Equity|Income|Expenses)(?::[A-Z0-9][A-Za-z0-9-]*)+"),
    "Income:AI-Usage",
)


class Beancount:
    """Writes postings as beancount's transactions."""

    def __init__(self, options: ExportOptions) -> None:
        self._options = options
        self._file = f"{options.stem}.beancount"
        self._opened: set[str] = {options.chart[role] for role in options.opened}
        self._wallets: defaultdict[str, int] = defaultdict(int)

    def known(self, postings: Iterable[Posting]) -> None:
        for posting in postings:
            for account, leg in self._sides(posting):
                self._opened.add(account)
                self._count(account, leg)

    def feed(self, postings: Iterable[Posting]) -> Iterator[FilePiece]:
        text = "".join([line for posting in postings for line in self._entry(posting)])
        if text:
            yield FilePiece(self._file, text.encode())

    def end(self) -> Iterator[FilePiece]:
        """Yields the assertions if the span ends at midnight, because balances are those of a day's beginning."""
        at = from_us(min(self._options.span.to_us, _LAST_US)).astimezone(self._options.zone)
        midnight = not (at.hour or at.minute or at.second or at.microsecond)
        lines = [
            f"{at.date()} balance {account}  {format_usd(pico)} ~ 0 {CURRENCY}\n"
            for account, pico in sorted(self._wallets.items())
            if midnight
        ]
        yield FilePiece(self._file, "".join(["\n", *lines]).encode())

    def _entry(self, posting: Posting) -> Iterator[str]:
        sides = self._sides(posting)
        if not sides:
            return
        day = self._options.day(posting.id)
        yield from self._opening(day, [account for account, _ in sides])
        yield f'\n{day} * "{_quoted(posting.user_name)}" "{_quoted(title(posting))}"\n'
        if code := code_of(posting):
            yield f'  code: "{_quoted(code)}"\n'
        for name, value in tags(posting).items():
            yield f'  {name}: "{value}"\n'
        for account, leg in sides:
            self._count(account, leg)
            yield f"  {account}  {format_usd(leg.amount)} {CURRENCY}\n"

    def _opening(self, day: date, accounts: Iterable[str]) -> Iterator[str]:
        for account in accounts:
            if account not in self._opened:
                self._opened.add(account)
                yield f"{day} open {account}  {CURRENCY}\n"

    def _sides(self, posting: Posting) -> list[tuple[str, JournalLeg]]:
        cost_pico = posting.cost_pico if self._options.costs else 0
        return [(self._account(leg), leg) for leg in legs(posting, posting.wallet_pico, cost_pico)]

    def _account(self, leg: JournalLeg) -> str:
        name = self._options.chart[leg.role]
        return f"{name}:{component(leg.party[0])}" if leg.party else name

    def _count(self, account: str, leg: JournalLeg) -> None:
        if leg.role == "wallets":
            self._wallets[account] += leg.amount


_LAST_US = (
    253_402_128_000_000_000  # it is the last day but one that Python and beancount know, to leave room for time zones
)


@lru_cache(maxsize=4096)
def component(text: str) -> str:
    """Makes a part of an account name: `usr_0a` → `Usr-0a`.

    It has letters, digits and hyphens, and begins with a capital letter or a digit.
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "Unknown"
    return plain[0].upper() + plain[1:]


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace('"', '\\"')


FORM = ExportFormat("beancount", Beancount, NAMES, ("row", "day", "month"), history=True)
