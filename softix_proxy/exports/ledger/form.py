"""The interface of a format for the books: it turns postings into the bytes of one or more named files.

It does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol

from softix_proxy.domain.core.clock import SECOND_US, from_us
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.ledger import Posting
from softix_proxy.exports.ledger.accounts import AccountNames, ChartOfAccounts

Granularity = Literal["row", "day", "month"]
"""Whether an entry is made for each posting, or for the similar postings of a day or month."""


class FilePiece(NamedTuple):
    """A piece of a file. The pieces of one file come together and in order."""

    file: str
    text: bytes


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The contents of an export, and the way in which its entries are cut."""

    span: Span
    stem: str
    """The text with which the names of the files begin."""
    granularity: Granularity
    chart: ChartOfAccounts
    costs: bool = False
    """Whether the providers' costs are included, as an expense that is owed to them."""
    whole: bool = True
    """Whether the export has all users. It does not if one user was requested."""
    zone: tzinfo = UTC
    prefix: str = "SX"
    """What the numbers of entries begin with, in formats that number them."""
    opened: frozenset[str] = frozenset()
    """The roles whose accounts the books have already, in formats that open accounts."""

    def day(self, posted_us: int) -> date:
        return day_of(posted_us // (900 * SECOND_US), self.zone)


@lru_cache(maxsize=64)
def day_of(quarter: int, zone: tzinfo) -> date:
    """Returns the date of a quarter of an hour, which is counted since 1970. Time zones differ by whole quarters."""
    return from_us(quarter * 900 * SECOND_US).astimezone(zone).date()


class ExportWriter(Protocol):
    """A writer of one export. It gets the known postings first, and then those to write, in the order of posting."""

    def known(self, postings: Iterable[Posting]) -> None:
        """Takes the postings that earlier exports brought into the books. They are remembered but not written."""
        ...

    def feed(self, postings: Iterable[Posting]) -> Iterable[FilePiece]: ...

    def end(self) -> Iterable[FilePiece]: ...


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format, as the operation and the command use it."""

    extension: str
    make: Callable[[ExportOptions], ExportWriter]
    names: AccountNames
    granularities: tuple[Granularity, ...]
    """The granularities that the format has. The first one is the default."""
    by_model: bool = False
    """Whether sums are also by provider and model."""
    history: bool = False
    """Whether the writer needs the earlier postings."""
    takes_costs: bool = True
    takes_opening: bool = True
    several: bool = False
    """Whether the export has several files, which need a folder."""


CENTS: tuple[Granularity, ...] = ("month", "day")
"""The granularities of formats in cents. Most single requests cost less than a cent."""
