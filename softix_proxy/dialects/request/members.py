"""Classes the members of requests by what they do to the bill. Each family has its tables in `members.py`.

A member without a class passes, since a newer SDK or another server may have it. But it is counted, the hold covers the
whole context, and the operator may have it left out or refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

from softix_proxy.dialects.request.fields import JsonMembers, unmetered


class MemberClass(StrEnum):
    """What a member does to the bill."""

    FREE = "free"
    """It changes nothing: how the model samples, the form of the answer, labels."""
    PRICED = "priced"
    """It is metered or bounded: the text to read, a limit, a mode with a price of its own."""
    BRINGS_INPUT = "brings input"
    """The model reads more than the body has, so only the context bounds the input."""
    BRINGS_WORK = "brings work"
    """The provider does more than the model's own answer, such as searches, or another model's work."""
    NAMES_OBJECT = "names an object"
    """It names a thing that is kept at the provider, or what the provider keeps for such requests."""


class MembersRead(NamedTuple):
    """What the members of one request mean for its hold."""

    unknown: int = 0
    """The number of members without a class."""
    opens: bool = False
    """Whether the model may read more than the body has. What an unknown member does is not known, so it counts."""
    fees: tuple[str, ...] = ()
    """The meters of which the price must state a fee for this request."""


_PLAIN = MembersRead()
_LISTED = msgspec.json.Decoder(list[msgspec.Raw])


class ReadMembers(Protocol):
    """The members of a request that was read: of a JSON object, or of a form."""

    @property
    def others(self) -> list[str]:
        """The names that are not watched."""
        ...

    def has(self, name: str) -> bool: ...

    def has_any(self, names: frozenset[str]) -> bool: ...


class MemberTable:
    """The members that the requests of one endpoint may have, each with its class."""

    __slots__ = ("classes", "fees", "known", "nested", "opens", "refused", "watched")

    def __init__(
        self,
        *bases: MemberTable,
        free: str = "",
        priced: str = "",
        brings_input: str = "",
        brings_work: str = "",
        names_object: str = "",
        opens: str = "",
        fees: Mapping[str, str] | None = None,
        refused: Mapping[str, str] | None = None,
        nested: Mapping[str, MemberTable] | None = None,
    ) -> None:
        """Makes a table of names that are separated by spaces, added to those of `bases`.

        `opens` names members of other classes that bring input as well. `fees` gives the meter by which a member costs
        a fee, of which the answer says nothing. `refused` gives the reasons of modes that nothing here can have a price
        for. `nested` has the tables of members that are objects.
        """
        groups = (free, priced, brings_input, brings_work, names_object)
        own = {name: kind for kind, names in zip(MemberClass, groups, strict=True) for name in names.split()}
        inherited = {name: kind for base in bases for name, kind in base.classes.items()}
        reasons = {name: reason for base in bases for name, reason in base.refused.items()}
        costing = {name: meter for base in bases for name, meter in base.fees.items()}
        opening = [name for base in bases for name in base.opens]
        self.classes: Mapping[str, MemberClass] = {**inherited, **own}
        self.known = frozenset(self.classes)
        self.refused: Mapping[str, str] = {**reasons, **(refused or {})}
        self.fees: Mapping[str, str] = {**costing, **(fees or {})}
        self.opens: frozenset[str] = frozenset((*opening, *brings_input.split(), *opens.split()))
        self.nested: Mapping[str, MemberTable] = nested or {}
        self.watched: frozenset[str] = self.opens | self.refused.keys() | self.fees.keys()
        """The names that whoever reads a request has to watch for `read`."""

    def read(self, fields: ReadMembers) -> MembersRead:
        """Returns what the members mean. Raises RefusedError for a mode that nothing here can have a price for."""
        others, known = fields.others, self.known
        unknown = 0 if known.issuperset(others) else sum(name not in known for name in others)
        if not fields.has_any(self.watched):
            return MembersRead(unknown, True) if unknown else _PLAIN
        for name, reason in self.refused.items():
            if fields.has(name):
                raise unmetered(reason)
        fees = tuple(dict.fromkeys(meter for name, meter in self.fees.items() if fields.has(name)))
        return MembersRead(unknown, unknown > 0 or fields.has_any(self.opens), fees)

    def without_unknown(self, body: bytes | msgspec.Raw) -> bytes:
        """Returns the body without the members that have no class. Every other value stays byte for byte."""
        fields = JsonMembers(body, frozenset(self.nested))
        unknown = frozenset(name for name in fields.others if name not in self.known)
        changes: dict[str, bytes] = {}
        for name, table in self.nested.items():
            raw = fields.raw(name)
            if raw is not None and fields.has(name) and (new := _stripped(table, raw)) != bytes(raw):
                changes[name] = new
        return fields.replaced(changes, unknown) if unknown or changes else bytes(body)

    def places(self, body: bytes) -> list[int]:
        """Returns where the top-level members without a class stand in the body, counted from 1.

        A refusal says where they are, since their names are the client's own words.
        """
        names = JsonMembers(body, frozenset()).others
        return [place for place, name in enumerate(names, 1) if name not in self.known]


def _stripped(table: MemberTable, raw: msgspec.Raw) -> bytes:
    """Does the same for a member that is one object, or a list of them."""
    if not bytes(raw).startswith(b"["):
        return table.without_unknown(raw)
    return b"[%b]" % b",".join(map(table.without_unknown, _LISTED.decode(raw)))


def both_spellings(names: str) -> str:
    """Adds `snake_case` to each name in `camelCase`, since Google's servers take both."""
    return " ".join(dict.fromkeys(spelling for name in names.split() for spelling in (name, snake_case(name))))


def snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
