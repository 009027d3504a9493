"""What a rule against abuse is: a name, thresholds with units, and a function of evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from softix_proxy.domain.core.errors import BadInputError

E = TypeVar("E")
Thresholds = Mapping[str, int]
"""Name → value. Each rule reads those that it declares."""


class AbuseAction(StrEnum):
    """What is done when a rule notices something. Each can be undone."""

    ALERT = "alert"
    """People are told, and nothing else is done."""
    THROTTLE = "throttle"
    """The key gets a low rate limit for a time."""
    SUSPEND = "suspend"
    """The key works no more."""
    REAUTHENTICATE = "reauthenticate"
    """The people who have the key must sign in again."""


class Threshold(NamedTuple):
    """One number of a rule, which operators can tune."""

    name: str
    value: int
    unit: str
    meaning: str
    least: int = 0
    most: int = 10**15


class Suspicion(NamedTuple):
    """What a rule noticed."""

    subject: str
    """The public id of a key, an organisation or an account, or a network."""
    text: str
    """The explanation, with the figures, in plain English."""
    figures: Mapping[str, int]
    key_id: int | None = None
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class AbuseRule(Generic[E]):
    """One rule. It sees metadata only, and decides by nothing but its arguments."""

    name: str
    summary: str
    """What it notices, as one sentence."""
    blind_to: str
    """What it cannot see, as one sentence."""
    evidence: type[E]
    thresholds: tuple[Threshold, ...]
    find: Callable[[E, Thresholds], Iterable[Suspicion]] = field(repr=False)
    action: AbuseAction = AbuseAction.ALERT
    """What is done unless an operator tunes it."""
    actions: frozenset[AbuseAction] = frozenset(AbuseAction)
    """What can be done. A rule without a key can only alert."""

    @property
    def defaults(self) -> Thresholds:
        return {each.name: each.value for each in self.thresholds}

    def checked(self, given: Mapping[str, int]) -> Thresholds:
        """Returns thresholds that an operator gives. Raises BadInputError for unknown names and values out of range."""
        known = {each.name: each for each in self.thresholds}
        for name, value in given.items():
            if name not in known:
                raise BadInputError(
                    f"the rule {self.name} has no threshold {name!r}", f"it has: {', '.join(known) or 'none'}"
                )
            if not known[name].least <= value <= known[name].most:
                raise BadInputError(
                    f"{name} is a number of {known[name].unit} from {known[name].least} to {known[name].most}",
                    "see: softix abuse rules",
                )
        return dict(given)


ALERT_ONLY = frozenset((AbuseAction.ALERT,))
"""For rules that notice something that is not a key."""
