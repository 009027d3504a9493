"""Technical data: from which addresses, with which programs and over which TLS something was done, and when.

It is personal data. All of it is purged by age, and no other record depends on it. What a program calls itself is
never kept as it came: only a family and a system of softix's own lists, and numbers of a version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple, Protocol

FURTHER: Final = ""
"""The name under which the addresses, programs and networks beyond the bound are counted."""
MOST_ADDRESSES: Final = 1000
"""The addresses that are kept of one key and day."""
MOST_AGENTS: Final = 100
"""The programs that are kept of one key and day."""
MOST_NETWORKS: Final = 1000
"""The networks that are kept of one day, of those that guessed keys."""


class Agent(NamedTuple):
    """A program that made requests, by the words of softix. Each is empty if it is not known."""

    family: str = ""
    """The name of a browser, an SDK or a tool of softix's list, or `other`."""
    version: str = ""
    """Numbers and dots, such as `131.0`."""
    device: str = ""
    """The system of softix's list that it runs on, such as `Linux` or `iPhone`."""


UNKNOWN: Final = Agent()


@dataclass(frozen=True, slots=True)
class CallOrigin:
    """Where a call came from, which its transaction keeps beside what it writes down."""

    address: str = field(default="", repr=False)
    agent: Agent = UNKNOWN
    tls: str = ""
    """The TLS of the connection to softix, such as `TLSv1.3`. Empty for plain HTTP, as behind a proxy that ends TLS."""


NOWHERE: Final = CallOrigin()
"""The origin of what nobody has called, such as a job."""


class KeyAddress(NamedTuple):
    """An address that a key was used from on one day."""

    key_id: int
    day: int
    """The number of the day, in the zone of the books."""
    address: str
    """`FURTHER` for all addresses beyond the bound."""
    first_us: int
    last_us: int
    requests: int


class KeyAgent(NamedTuple):
    """A program that a key was used with on one day."""

    key_id: int
    day: int
    family: str
    version: str
    device: str
    tls: str
    first_us: int
    last_us: int
    requests: int


class GuessingNetwork(NamedTuple):
    """A network from which keys came on one day that are not valid."""

    day: int
    network: str
    first_us: int
    last_us: int
    failed: int
    """The invalid keys that were looked up."""
    slowed: int
    """The further ones, which were answered with 429."""


class SeenGroup(NamedTuple):
    """What was seen since the last group was written. The rows of one place and day may come several times."""

    addresses: Sequence[KeyAddress] = ()
    agents: Sequence[KeyAgent] = ()
    guesses: Sequence[GuessingNetwork] = ()


@dataclass(slots=True)
class SeenTally:
    """What a process has seen since its start. It is kept in memory, for the metrics."""

    failed_keys: int = 0
    """The invalid API keys that were looked up."""
    slowed_keys: int = 0
    """The further ones, which were answered with 429."""
    not_kept: int = 0
    """The requests of which only the number is kept, because there was no room for more places."""


class TechnicalDataFilter(NamedTuple):
    """Selects rows. None selects all."""

    key_id: int | None = None
    user_id: int | None = None
    since_us: int = 0


def checked_address(text: str) -> str:
    """Returns the address in its one form, or an empty text for what is none. IPv4 within IPv6 becomes IPv4."""
    try:
        found = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return FURTHER
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(found)


class TechnicalDataStore(Protocol):
    """Stores technical data, until it is purged. Each purge removes at most so many rows, and returns their number."""

    async def note(self, seen: SeenGroup) -> None:
        """Adds to the rows of each place and day. Beyond the bounds, everything is counted under `FURTHER`."""
        ...

    async def addresses_of_key(self, key_id: int, since_us: int = 0) -> Sequence[KeyAddress]:
        """Returns the addresses that the key was used from since then, the last used first: at most a day's bound
        for each day. What was seen in the last seconds may be missing.
        """
        ...

    async def addresses(self, wanted: TechnicalDataFilter, limit: int) -> Sequence[KeyAddress]:
        """Returns the addresses of keys, the last used first."""
        ...

    async def agents(self, wanted: TechnicalDataFilter, limit: int) -> Sequence[KeyAgent]:
        """Returns the programs of keys, the last used first."""
        ...

    async def guesses(self, since_us: int, limit: int) -> Sequence[GuessingNetwork]:
        """Returns the networks that guessed keys since then, those with the most guesses first."""
        ...

    async def origin_of(self, entry_id: int) -> CallOrigin | None:
        """Returns where the entry of the audit with this number came from, as long as it is kept."""
        ...

    async def purge_before(self, before_us: int, most: int) -> int:
        """Removes what was last added to before then."""
        ...

    async def purge_key(self, key_id: int, most: int) -> int: ...

    async def purge_account(self, account_id: int, public_id: str, most: int) -> int:
        """Removes where the account's entries of the audit came from, and empties that of its security events."""
        ...

    async def purge_all(self, most: int) -> int: ...

    async def note_purge(self, subject: str, removed: int) -> None:
        """Writes down that an operator had so many rows removed. `subject` is a public id, or empty for all."""
        ...
