"""Writes the journals of hledger and ledger, which differ little.

Amounts are exact, and each user and provider has an account.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.ledger.ledger import Posting
from softix_proxy.exports.ledger.accounts import AccountNames, JournalLeg, legs, title
from softix_proxy.exports.ledger.form import ExportFormat, ExportOptions, FilePiece

_PART = r"[^\W_][\w.&/'-]*(?: [\w.&/'-]+)*"
NAMES = AccountNames(
    {
        "cash": "assets:cash",
        "wallets": "liabilities:prepaid",
        "revenue": "income:ai",
        "adjustments": "equity:adjustments",
        "costs": "expenses:ai",
        "payables": "liabilities:providers",
        "fees": "expenses:payment fees",
        "bank": "assets:bank",
    },
    re.compile(f"{_PART}(?::{_PART})*"),
    "income:ai usage",
)
"""The default names. A valid name has no sign with a meaning, and no two spaces in a row, which would end the name."""
TAGS = ("posted_at", "usage_at")

_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_MEANINGS = str.maketrans({";": ",", "|": "/"})
"""Replaces the sign that begins a comment, and the one that separates a payee from a note."""
_BEGINNINGS = "*!(=[{ "
_PARENTHESES = str.maketrans("()", "[]")


@dataclass(frozen=True, slots=True)
class LedgerSyntax:
    head: str


def form(dialect: LedgerSyntax) -> ExportFormat:
    return ExportFormat("journal", lambda options: PlainText(dialect, options), NAMES, ("row", "day", "month"))


class PlainText:
    """Writes postings in the plain-text form that ledger and hledger share."""

    def __init__(self, dialect: LedgerSyntax, options: ExportOptions) -> None:
        self._options = options
        self._file = f"{options.stem}.journal"
        self._head = dialect.head
        self._declared: set[str] = set()

    def known(self, postings: Iterable[Posting]) -> None:
        """Ignores earlier postings: exact amounts need no carry-over."""

    def feed(self, postings: Iterable[Posting]) -> Iterator[FilePiece]:
        text = "".join([self._entry(posting) for posting in postings])
        if self._head or text:
            yield FilePiece(self._file, (self._head + text).encode())
            self._head = ""

    def end(self) -> Iterator[FilePiece]:
        yield from self.feed(())

    def _entry(self, posting: Posting) -> str:
        sides = list(legs(posting, posting.wallet_pico, posting.cost_pico if self._options.costs else 0))
        if not sides:
            return ""
        accounts = [self._account(leg) for leg in sides]
        new = [account for account in accounts if account not in self._declared]
        self._declared.update(new)
        lines = ["\n", *(f"account {account}\n" for account in dict.fromkeys(new))]
        lines += _heading(self._options, posting)
        width = max(map(len, accounts))
        lines += [
            f"    {account:<{width}}  {format_usd(leg.amount):>22} {CURRENCY}\n"
            for account, leg in zip(accounts, sides, strict=True)
        ]
        return "".join(lines)

    def _account(self, leg: JournalLeg) -> str:
        name = self._options.chart[leg.role]
        return f"{name}:{component(leg.party[0])}" if leg.party else name


def _heading(options: ExportOptions, posting: Posting) -> Iterator[str]:
    code = code_of(posting)
    if posting.reference:
        code = code.translate(_PARENTHESES)
    shown = f"({code}) " if code else ""
    payee = _cleaned(posting.user_name).lstrip(_BEGINNINGS) or posting.user_id
    yield f"{options.day(posting.id)} * {shown}{payee} | {_cleaned(title(posting))}\n"
    for name, value in tags(posting).items():
        yield f"    ; {name}: {value}\n"


def code_of(posting: Posting) -> str:
    if posting.request_id is not None:
        return format_request_id(posting.request_id)
    return _cleaned(posting.reference or "")


def tags(posting: Posting) -> Mapping[str, str]:
    """Returns the tags: the times of posting and of use, if the posting is a single one."""
    if posting.usage_at_us is None:
        return {}
    instants = (posting.id, posting.usage_at_us)
    return {name: str(format_instant(instant)) for name, instant in zip(TAGS, instants, strict=True)}


@lru_cache(maxsize=4096)
def _cleaned(text: str) -> str:
    return one_line(text).translate(_MEANINGS)


def one_line(text: str) -> str:
    """Returns the text without line breaks and without two spaces in a row, after which a comment could begin."""
    return _BREAKS.sub(" ", text).strip()


@lru_cache(maxsize=4096)
def component(text: str) -> str:
    """Returns the text as a part of an account name. Ids are valid as they are, and names are made valid."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "unknown"
