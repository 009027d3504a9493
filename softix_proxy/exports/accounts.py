"""What each account is called in the operator's books, and the two sides of every posting."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from softix_proxy.domain.errors import BadInputError
from softix_proxy.domain.ledger import ADJUSTMENTS, CASH, REVENUE, Posting

AccountRole = Literal["cash", "wallets", "revenue", "adjustments", "costs", "payables"]
ChartOfAccounts = Mapping[str, str]
"""Role → name; a format may know more names than those of accounts."""
ROLE_OF: Mapping[int, AccountRole] = {CASH: "cash", REVENUE: "revenue", ADJUSTMENTS: "adjustments"}
TITLES: Mapping[str, str] = {
    "opening": "balance brought forward",
    "top-up": "top-up",
    "adjustment": "adjustment",
    "charge": "AI usage",
    "correction": "correction of AI usage",
}


class JournalLeg(NamedTuple):
    role: AccountRole
    party: tuple[str, str] | None
    """Id and name of the user of a wallet, or of the provider of a cost."""
    amount: int
    """Debits are positive, in the unit that `legs` was given."""


@dataclass(frozen=True, slots=True)
class AccountNames:
    """The names that a format needs, and which ones it can take."""

    defaults: Mapping[str, str]
    valid: re.Pattern[str]
    example: str

    def chart(self, given: Sequence[str]) -> ChartOfAccounts:
        """From `role=name` each. Raises BadInputError for a role that is none and a name that cannot be."""
        chart = dict(self.defaults)
        for text in given:
            role, equals, name = text.partition("=")
            if not equals or role not in chart:
                known = ", ".join(chart) or "none in this format"
                raise BadInputError(f"not a name for the books: {text!r}", f"write ROLE=NAME; the roles are: {known}")
            if not self.valid.fullmatch(name):
                raise BadInputError(f"{name!r} cannot be a name in this format", f"for example {role}={self.example}")
            chart[role] = name
        return chart


PLAIN = re.compile(r"[^\W_](?:[^=\"\x00-\x1f\x7f-\x9f\u2028\u2029]{0,98}[^\s=\"\x00-\x1f\x7f-\x9f])?")
"""A name in an accounting program: a line of text, and no formula."""


def legs(posting: Posting, gained: int, cost: int) -> Iterator[JournalLeg]:
    """Of what the wallet gained and the provider asks, both in one unit. They add up to 0."""
    if gained:
        yield JournalLeg("wallets", (posting.user_id, posting.user_name), -gained)
        yield JournalLeg(ROLE_OF[posting.account], None, gained)
    if cost:
        provider = posting.provider or "unknown"
        yield JournalLeg("costs", (provider, provider), cost)
        yield JournalLeg("payables", (provider, provider), -cost)


def title(posting: Posting) -> str:
    """What happened, in a line."""
    words = TITLES[posting.kind]
    if posting.model:
        words += f" {posting.model}"
    if posting.request_id is None and posting.requests:
        words += f", {posting.requests:,} requests"
    return f"{words}: {posting.note}" if posting.note else words
