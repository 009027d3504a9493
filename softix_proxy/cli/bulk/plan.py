"""Works out what a file would change, and does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from softix_proxy.cli.bulk.documents import Wanted
from softix_proxy.cli.bulk.kinds import Call, ThingFields
from softix_proxy.domain.core.errors import OperatorError, StaleError

_NOT_COMPARED: Final = frozenset(("version", "cost_version", "created_at", "starts_at"))
"""The fields that every change gives another value, or that say when it was made."""

_DERIVED: Final = frozenset(("available", "bands", "charged", "left", "percent", "provider_prices"))
"""The fields that follow from others, and need not be shown beside them."""
_USED: Final = frozenset(
    ("available", "balance", "ends_at", "held", "last_used_at", "left", "open_requests", "percent", "spent")
)
"""The fields that requests change."""


class Effect(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one thing."""

    wanted: Wanted
    at_first: ThingFields | None
    """The thing before anything of the file was done."""
    before: ThingFields | None
    """The thing before its own change. A user of the same file may have been made for it."""
    after: ThingFields | None
    printed: Any = field(default=None, repr=False)
    """What the command printed. A new key is in it."""

    @property
    def effect(self) -> Effect:
        if self.before is None and self.after is not None:
            return Effect.CREATED
        return Effect.CHANGED if _differing(self.before, self.after) else Effect.UNCHANGED

    @property
    def differences(self) -> Mapping[str, tuple[Any, Any]]:
        """Field → its value before and after. Of a new thing these are the members of the file."""
        if self.effect is Effect.CREATED:
            return {name: (None, value) for name, value in self.wanted.entry.items()}
        differing = _differing(self.before, self.after)
        return {name: both for name, both in differing.items() if name not in _DERIVED} or differing


def _differing(before: ThingFields | None, after: ThingFields | None) -> Mapping[str, tuple[Any, Any]]:
    old, new = _compared(before), _compared(after)
    names = sorted({*old, *new})
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def _compared(shown: ThingFields | None) -> ThingFields:
    return {name: _unused(value) for name, value in (shown or {}).items() if name not in _NOT_COMPARED}


def _unused(value: Any) -> Any:
    """Returns a list of limits without what requests change in them."""
    if not isinstance(value, list):
        return value
    return [
        {name: each[name] for name in each if name not in _USED} if isinstance(each, dict) and "spent" in each else each
        for each in value
    ]


async def try_all(call: Call, wanted: Sequence[Wanted]) -> Sequence[Planned]:
    """Does everything, within a transaction that its caller undoes, and returns what became of each thing.

    Raises OperatorError for the first thing that cannot be done; its message names it.
    """
    found = await _find_all(call, wanted)
    return [await _do(call, each, at_first) for each, at_first in zip(wanted, found, strict=True)]


async def do_all(call: Call, planned: Sequence[Planned]) -> Sequence[Planned]:
    """Does what has an effect. Raises StaleError if a thing is not as it was when the plan was made."""
    found = await _find_all(call, [each.wanted for each in planned])
    for each, at_first in zip(planned, found, strict=True):
        if _is_other(each.at_first, at_first):
            raise StaleError(f"{each.wanted.name}: somebody has changed it meanwhile", "apply the file again")
    return [
        each if each.effect is Effect.UNCHANGED else await _do(call, each.wanted, each.at_first) for each in planned
    ]


def _is_other(planned: ThingFields | None, found: ThingFields | None) -> bool:
    """Returns whether a thing was changed, and not only used: a key spends while somebody reads the plan."""
    differing = _differing(planned, found)
    return (planned is None) != (found is None) or any(name not in _USED for name in differing)


async def _find_all(call: Call, wanted: Sequence[Wanted]) -> Sequence[ThingFields | None]:
    found = []
    for each in wanted:
        with _Named(each):
            found.append(await each.kind.find(call, each.entry))
    return found


async def _do(call: Call, wanted: Wanted, at_first: ThingFields | None) -> Planned:
    with _Named(wanted):
        before = await wanted.kind.find(call, wanted.entry)
        printed = await wanted.kind.act(call, wanted.entry, before)
        return Planned(wanted, at_first, before, await wanted.kind.find(call, wanted.entry), printed)


class _Named:
    """Names the thing in the error of what is done to it."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OperatorError):
            raise type(error)(f"{self._wanted.name}: {error.message}", error.remedy) from None
