"""Names the accounts as in the operator's books, and splits every posting into its two sides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ledger.ledger import ADJUSTMENTS, BANK, CASH, FEES, REVENUE, Posting

AccountRole = Literal["cash", "wallets", "revenue", "adjustments", "costs", "payables", "fees", "bank"]
ChartOfAccounts = Mapping[str, str]
"""Role → name. A format may have more roles than those of accounts."""
ROLE_OF: Mapping[int, AccountRole] = {
    CASH: "cash",
    REVENUE: "revenue",
    ADJUSTMENTS: "adjustments",
    FEES: "fees",
    BANK: "bank",
}
TITLES: Mapping[str, str] = {
    "opening": "balance brought forward",
    "top-up": "top-up",
    "adjustment": "adjustment",
    "charge": "AI usage",
    "correction": "correction of AI usage",
    "fee": "fees of payments",
    "payout": "payout to the bank",
}


class JournalLeg(NamedTuple):
    role: AccountRole
    party: tuple[str, str] | None
    """The id and name of the user of a wallet, or of the provider of a cost."""
    amount: int
    """The amount in the unit that `legs` received. Debits are positive."""


@dataclass(frozen=True, slots=True)
class AccountNames:
    """The default names of a format, and the rule for names that it accepts."""

    defaults: Mapping[str, str]
    valid: re.Pattern[str]
    example: str

    def chart(self, given: Sequence[str]) -> ChartOfAccounts:
        """Builds a chart from texts of the form `role=name`.

        Raises BadInputError for an unknown role or an invalid name.
        """
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
"""The pattern of a name in an accounting program: one line of text that is not a formula."""


def legs(posting: Posting, gained: int, cost: int) -> Iterator[JournalLeg]:
    """Yields the legs for the wallet's gain and the provider's cost, both in one unit. They add up to 0.

    For a fee or payout, the gain is what cash lost.
    """
    if gained:
        if posting.account in (FEES, BANK):
            yield JournalLeg("cash", None, -gained)
        else:
            yield JournalLeg("wallets", (posting.user_id, posting.user_name), -gained)
        yield JournalLeg(ROLE_OF[posting.account], None, gained)
    if cost:
        provider = posting.provider or "unknown"
        yield JournalLeg("costs", (provider, provider), cost)
        yield JournalLeg("payables", (provider, provider), -cost)


def title(posting: Posting) -> str:
    """Returns one line that describes the posting."""
    words = TITLES[posting.kind]
    if posting.model:
        words += f" {posting.model}"
    if posting.request_id is None and posting.requests:
        words += f", {posting.requests:,} requests"
    return f"{words}: {posting.note}" if posting.note else words
