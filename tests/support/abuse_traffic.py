"""Traffic for the rules against abuse: keys with hours, and a normal month of them with a fixed seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from softix_proxy.domain.abuse.evidence import HOURS_A_WEEK, NO_USE, Everyone, HourUse, KeyHours
from softix_proxy.domain.abuse.rule import AbuseRule, Suspicion

NOW_HOUR = 500_000
"""2027-01-15, 08:00 UTC: a Friday."""
CENT_PICO = 10**10
DAY_HOURS = 24
OFFICE = range(8, 18)


def of_day(hour: int) -> int:
    return hour % DAY_HOURS


def is_weekend(hour: int) -> bool:
    return (hour // DAY_HOURS + 3) % 7 >= 5


def office_key(now: HourUse, *, hour: int = NOW_HOUR, days: int = 35, usual: HourUse | None = None) -> KeyHours:
    """A key that is used from 8 to 18 on weekdays, always alike, and now does this."""
    each = usual or HourUse(requests=40, failures=1, refused=1, hang_ups=2, tokens=100_000, charge_pico=50 * CENT_PICO)
    hours = {
        past: each for past in range(hour - days * DAY_HOURS, hour) if of_day(past) in OFFICE and not is_weekend(past)
    }
    return key_use({**hours, hour: now}, hour)


def key_use(hours: Mapping[int, HourUse], hour: int, everyone: Everyone = Everyone(10_000, 100, 50)) -> KeyHours:  # noqa: B008
    return KeyHours(7, "key_seven", 3, hour, hours, everyone)


def found(rule: AbuseRule[Any], evidence: Any, **tuned: int) -> list[Suspicion]:
    return list(rule.find(evidence, {**rule.defaults, **tuned}))


class NormalKey:
    """One key of a normal month. Its profile and all its hours follow from the seed."""

    def __init__(self, number: int, seed: int) -> None:
        self.number = number
        self._random = random.Random(seed * 100_003 + number)
        profiles: list[Callable[[int], float]] = [self._office, self._service, self._batch, self._seldom, self._app]
        self._rhythm = profiles[number % len(profiles)]
        self._size = self._random.lognormvariate(4.0, 1.2)
        self._growth_a_day = self._random.choice((0.0, 0.0, 0.01, 0.03))
        self._tokens = self._random.choice((400, 1500, 6000))
        self._pico_a_token = self._random.choice((200_000, 2_000_000, 12_000_000))
        self._batch_hour = self._random.randrange(0, 5)
        self._batch_day = self._random.randrange(7)
        self._hang_up_share = self._random.choice((0.0, 0.02, 0.1, 0.2))
        self._deploys = {self._random.randrange(0, 70) for _ in range(6)}

    def _office(self, hour: int) -> float:
        return 0.0 if is_weekend(hour) or of_day(hour) not in OFFICE else 1.0

    def _app(self, hour: int) -> float:
        shape = (0.1, 0.05, 0.05, 0.1, 0.5, 0.9, 1.0, 1.2, 1.4, 1.5, 1.0, 0.4)[of_day(hour) // 2]
        return shape * (1.3 if is_weekend(hour) else 1.0)

    def _service(self, hour: int) -> float:
        return 1.0 + 0.2 * (of_day(hour) in OFFICE)

    def _batch(self, hour: int) -> float:
        if (hour // DAY_HOURS) % 7 == self._batch_day and of_day(hour) == self._batch_hour:
            return 60.0
        return 0.4 if of_day(hour) in OFFICE else 0.0

    def _seldom(self, hour: int) -> float:
        return 0.3 if of_day(hour) in OFFICE and self._random.random() < 0.1 else 0.0

    def hours(self, first: int, count: int) -> Iterator[tuple[int, HourUse]]:
        for step in range(count):
            use = self._hour(first + step, step // DAY_HOURS)
            if use != NO_USE:
                yield first + step, use

    def _hour(self, hour: int, day: int) -> HourUse:
        mean = self._size * self._rhythm(hour) * (1 + self._growth_a_day) ** day
        is_deploy = day in self._deploys and of_day(hour) in (10, 11)
        mean *= 3.0 if is_deploy else 1.0
        requests = max(round(self._random.gauss(mean, mean**0.5 + 0.25 * mean)), 0)
        if not requests:
            return NO_USE
        share = 0.3 if is_deploy and self._random.random() < 0.5 else 0.01
        failures = max(round(self._random.gauss(requests * share, (requests * share) ** 0.5)), 0)
        tokens = requests * round(self._tokens * self._random.lognormvariate(0, 0.35))
        return HourUse(
            requests=requests,
            failures=min(failures, requests),
            refused=round(requests * 0.05) if self._random.random() < 0.02 else 0,
            hang_ups=round(requests * self._hang_up_share * self._random.random()),
            tokens=tokens,
            charge_pico=tokens * self._pico_a_token,
        )


def normal_days(
    keys: Iterable[NormalKey], *, warm_up_days: int, days: int, history_hours: int = 5 * HOURS_A_WEEK
) -> Iterator[KeyHours]:
    """Each hour with use of each key in the days after the warm-up, as the rules see it at the end of that hour."""
    first = NOW_HOUR - NOW_HOUR % DAY_HOURS
    for key in keys:
        seen: dict[int, HourUse] = {}  # the same one each time, which costs a day's less than a copy
        for hour, use in key.hours(first, (warm_up_days + days) * DAY_HOURS):
            seen[hour] = use
            while next(iter(seen)) < hour - history_hours:
                del seen[next(iter(seen))]
            if hour >= first + warm_up_days * DAY_HOURS:
                yield KeyHours(key.number, f"key_{key.number}", 1, hour, seen, Everyone(10_000, 150, 60))
