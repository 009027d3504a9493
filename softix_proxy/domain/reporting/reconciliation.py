"""Compares a provider's own bill with the records of softix.

This module defines what is compared, how names match, and what a difference can come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.metering.usage import DailyCost, UsageSource
from softix_proxy.domain.pricing.meters import METERS

UNNAMED = "(no model named)"
ALL_MODELS = "(all models)"
"""The name for all models of a day if the bill names none."""


class ProviderBillLine(NamedTuple):
    """One line of a provider's bill."""

    day: int
    """The number of days since 1970, UTC."""
    model: str | None
    """The model as the bill calls it. It is None if the bill does not name it."""
    amount_pico: int | None
    """The amount, rounded half-even from the written one. It is None if the file has no amounts of money."""
    tokens: int | None
    step_pico: int
    """The smallest difference that the amount's decimals can show."""


class Measure(StrEnum):
    """The unit in which the two sides are compared."""

    USD = "usd"
    TOKENS = "tokens"


class DifferenceKind(StrEnum):
    """The possible cause of a difference."""

    ROUNDING = "rounding"
    INTERRUPTED = "interrupted"
    """A crash interrupted requests, or the end of responses was not seen.

    The provider may have billed them, at most what was held for them.
    """
    ESTIMATED = "estimated"
    """Responses were cut off, so their quantities are known only in part."""
    UNPRICED = "unpriced"
    """Something was reported for which softix has no price."""
    PRICE = "price"
    """The tokens agree, so the price or the service tier differs."""
    OUTSIDE = "outside softix"
    """Usage was billed and not recorded, because another program uses the account."""
    NOT_BILLED = "not billed"
    """Usage was recorded and not billed: free allowances, credits, or a bill that is not complete yet."""


class DifferenceCause(NamedTuple):
    kind: DifferenceKind
    amount: int
    """The part of the difference (theirs less ours) that it can explain."""
    requests: int


@dataclass(slots=True)
class ComparedSums:
    """The sums of one day and model on both sides, in pico-USD and tokens."""

    bill_pico: int = 0
    bill_tokens: int | None = None
    bill_lines: int = 0
    cost_pico: int = 0
    tokens: int = 0
    requests: int = 0
    interrupted: int = 0
    interrupted_hold_pico: int = 0
    estimated: int = 0
    estimated_cost_pico: int = 0
    estimated_hold_pico: int = 0
    estimated_tokens: int = 0
    unpriced: int = 0

    def add_bill(self, line: ProviderBillLine) -> None:
        self.bill_pico += line.amount_pico or 0
        self.bill_lines += 1
        if line.tokens is not None:
            self.bill_tokens = (self.bill_tokens or 0) + line.tokens

    def add_cost(self, cost: DailyCost) -> None:
        self.cost_pico += cost.cost_pico
        self.tokens += cost.tokens
        self.requests += cost.requests
        self.unpriced += cost.requests if cost.unpriced else 0
        if cost.source is UsageSource.INTERRUPTED:
            self.interrupted += cost.requests
            self.interrupted_hold_pico += cost.hold_pico
        elif cost.source in (UsageSource.PARTIAL, UsageSource.ESTIMATE):
            self.estimated += cost.requests
            self.estimated_cost_pico += cost.cost_pico
            self.estimated_hold_pico += cost.hold_pico
            self.estimated_tokens += cost.tokens

    def add(self, other: ComparedSums) -> None:
        for name in self.__slots__:
            mine, more = getattr(self, name), getattr(other, name)
            setattr(self, name, mine if more is None else (mine or 0) + more)

    def ours(self, measure: Measure) -> int:
        return self.cost_pico if measure is Measure.USD else self.tokens

    def theirs(self, measure: Measure) -> int:
        return self.bill_pico if measure is Measure.USD else self.bill_tokens or 0


@dataclass(frozen=True, slots=True)
class ComparedDay:
    """One day and model on both sides."""

    day: int
    model: str
    side: ComparedSums
    ours: int
    theirs: int
    causes: Sequence[DifferenceCause]
    """The causes. Their amounts add up to the difference."""

    @property
    def difference(self) -> int:
        return self.theirs - self.ours


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The comparison of a provider's bill with the records, day by day and model by model."""

    provider: str
    measure: Measure
    first_day: int
    end_day: int
    lines: Sequence[ComparedDay]
    """The lines by day, then by model. Lines that are zero on both sides are left out."""
    unknown_models: Sequence[str]
    """The names in the bill that nothing in softix matches."""
    missing_models: Sequence[str]
    """The names in softix that nothing in the bill matches."""
    outside_period: int
    """The number of lines of the bill before or after the period."""
    left_out: int
    """The number of rows of the bill that are not about models or have no cost."""
    tolerance: Fraction

    @property
    def ours(self) -> int:
        return sum(line.ours for line in self.lines)

    @property
    def theirs(self) -> int:
        return sum(line.theirs for line in self.lines)

    @property
    def difference(self) -> int:
        return self.theirs - self.ours

    @property
    def matched(self) -> Fraction:
        """The share that matches: 1 less the absolute differences of all lines over the larger side.

        It is never below 0.
        """
        larger = max(sum(abs(line.ours) for line in self.lines), sum(abs(line.theirs) for line in self.lines))
        off = sum(abs(line.difference) for line in self.lines)
        return max(1 - Fraction(off, larger), Fraction(0)) if larger else Fraction(1)

    @property
    def within(self) -> bool:
        return 1 - self.matched <= self.tolerance

    def causes(self) -> Sequence[DifferenceCause]:
        """Returns the causes of all lines, added up by kind, in the order of `DifferenceKind`."""
        return [
            DifferenceCause(kind, sum(cause.amount for cause in found), sum(cause.requests for cause in found))
            for kind in DifferenceKind
            if (found := [cause for line in self.lines for cause in line.causes if cause.kind is kind])
        ]


def explain(side: ComparedSums, measure: Measure, step_pico: int) -> Sequence[DifferenceCause]:
    """Splits the difference into its possible causes, the best known first. The last takes what remains.

    `step_pico` is the smallest step that the bill's amounts show. Each line of the bill may be off by half of it, and
    each request of softix by half a pico-USD per meter.
    """
    rest = side.theirs(measure) - side.ours(measure)
    if rest == 0:
        return ()
    usd = measure is Measure.USD
    rounding_pico = (side.bill_lines * step_pico + side.requests * len(METERS) + 1) // 2
    if usd and abs(rest) <= rounding_pico:
        return (DifferenceCause(DifferenceKind.ROUNDING, rest, 0),)
    causes: list[DifferenceCause] = []
    for kind, requests, bound in _bounds(side, usd, more=rest > 0):
        part = min(abs(rest), bound) if rest > 0 else -min(abs(rest), bound)
        if part:
            causes.append(DifferenceCause(kind, part, requests))
            rest -= part
    if rest:
        causes.append(_remainder(side, usd, rest))
    return tuple(causes)


def _bounds(side: ComparedSums, usd: bool, *, more: bool) -> Iterator[tuple[DifferenceKind, int, int]]:
    """Yields (kind, requests, the most that it explains) for a bill that is higher, or for one that is lower."""
    if not more:
        yield DifferenceKind.ESTIMATED, side.estimated, side.estimated_cost_pico if usd else side.estimated_tokens
    elif usd:
        yield DifferenceKind.INTERRUPTED, side.interrupted, side.interrupted_hold_pico
        yield DifferenceKind.ESTIMATED, side.estimated, max(side.estimated_hold_pico - side.estimated_cost_pico, 0)


def _remainder(side: ComparedSums, usd: bool, rest: int) -> DifferenceCause:
    if usd and side.bill_tokens is not None and side.bill_tokens == side.tokens and side.requests:
        return DifferenceCause(DifferenceKind.PRICE, rest, side.requests)
    if rest < 0:
        return DifferenceCause(DifferenceKind.NOT_BILLED, rest, side.requests)
    if usd and side.unpriced:
        return DifferenceCause(DifferenceKind.UNPRICED, rest, side.unpriced)
    if not usd and side.interrupted + side.estimated:
        uncertain = DifferenceKind.INTERRUPTED if side.interrupted else DifferenceKind.ESTIMATED
        return DifferenceCause(uncertain, rest, side.interrupted + side.estimated)
    return DifferenceCause(DifferenceKind.OUTSIDE, rest, 0)


_VENDOR = re.compile(r"(?:[a-z]+\.)+")
_VERSION = re.compile(r"-v\d+(?::\d+)?$")
_DATED = re.compile(r"[-@ ](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4})$")


def undated(name: str) -> str:
    """Returns the name without its date: `gpt-4o-2024-08-06` → `gpt-4o`.

    It also removes `anthropic.` before and `-v1:0` after the name. The result is in lower case.
    """
    lower = name.strip().lower()
    vendor = _VENDOR.match(lower)
    return _DATED.sub("", _VERSION.sub("", lower[vendor.end() :] if vendor else lower)) or lower


def words(name: str) -> str:
    """Returns the numbers and words of a name in a fixed order.

    `Claude Haiku 4.5` and `claude-haiku-4-5-20251001` have the same.
    """
    return " ".join(sorted(re.findall(r"[a-z]+|\d+", undated(name))))


class Matcher:
    """Finds the bill's name for a model of softix: the same name, else the same undated, else the same words.

    If several names of a bill differ only in what was left out, they are one subject, under the short name.
    """

    def __init__(self, bill_names: Iterable[str]) -> None:
        self.unmatched = set(bill_names)
        """The names in the bill to which nothing was matched so far."""
        self._names = frozenset(self.unmatched)
        self._alike: Mapping[Callable[[str], str], dict[str, set[str]]] = {form: {} for form in (undated, words)}
        self._merged: dict[str, str] = {}
        for name in self._names:
            for form, alike in self._alike.items():
                alike.setdefault(form(name), set()).add(name)

    def match(self, names: Sequence[str]) -> str | None:
        """Returns the bill's name for a model that has these names, the surest first. Returns None if there is none."""
        for name in names:
            if name in self._names:
                self.unmatched.discard(name)
                return name
        for form, alike in self._alike.items():
            for name in names:
                found = alike.get(form(name))
                if found:
                    self.unmatched -= found
                    if len(found) > 1:
                        self._merged.update(dict.fromkeys(found, undated(name)))
                    return min(found)
        return None

    def subject(self, bill_name: str) -> str:
        """Returns the name under which it is compared. It is certain once everything was matched."""
        return self._merged.get(bill_name, bill_name)


_PERCENTAGE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s*%", re.ASCII)


def parse_tolerance(text: str) -> Fraction:
    """Parses a tolerance: `'0.5%'` → 1/200. It is at most 100 %. Raises BadInputError for anything else."""
    match = _PERCENTAGE.fullmatch(text.strip())
    if match is None or Fraction(match[1]) > 100:
        raise BadInputError(f"not a tolerance: {text!r}", "write a percentage from 0% to 100%, for example 0.5%")
    return Fraction(match[1]) / 100
