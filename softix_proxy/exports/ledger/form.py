"""What a format of the books is: postings in, the bytes of one or several named files out. No I/O."""

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
"""One entry for each posting, or for what is alike in a day or month."""


class FilePiece(NamedTuple):
    """Pieces of one file come together, in its order."""

    file: str
    text: bytes


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Says what of the books an export has, and how its entries are cut."""

    span: Span
    stem: str
    """What the names of the files begin with."""
    granularity: Granularity
    chart: ChartOfAccounts
    costs: bool = False
    """The providers' costs too, as an expense that is owed to them."""
    whole: bool = True
    """All users: not where one was asked for."""
    zone: tzinfo = UTC

    def day(self, posted_us: int) -> date:
        return day_of(posted_us // (900 * SECOND_US), self.zone)


@lru_cache(maxsize=64)
def day_of(quarter: int, zone: tzinfo) -> date:
    """Of a quarter of an hour since 1970; zones differ by whole ones."""
    return from_us(quarter * 900 * SECOND_US).astimezone(zone).date()


class ExportWriter(Protocol):
    """One export. First what is known, then what is to be written, in the order of posting."""

    def known(self, postings: Iterable[Posting]) -> None:
        """What the books have already, by earlier exports: kept in mind, not written."""
        ...

    def feed(self, postings: Iterable[Posting]) -> Iterable[FilePiece]: ...

    def end(self) -> Iterable[FilePiece]: ...


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format, as the operation and the command see it."""

    extension: str
    make: Callable[[ExportOptions], ExportWriter]
    names: AccountNames
    granularities: tuple[Granularity, ...]
    """The first is meant where nothing is said."""
    by_model: bool = False
    """Sums are by provider and model as well."""
    history: bool = False
    """Wants to know what was before."""
    takes_costs: bool = True
    takes_opening: bool = True
    several: bool = False
    """Files: a folder is needed."""


CENTS: tuple[Granularity, ...] = ("month", "day")
"""Where only cents are known, a single request is mostly nothing."""
