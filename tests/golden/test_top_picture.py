"""The text picture of `softix top` in the guide for operators is what the command draws at 80 columns and 30 lines.

After a change, and to be read before it is kept:

python tests/golden/test_top_picture.py --update
"""

from __future__ import annotations

import io
import re
import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from rich.console import Console
from support.playbook import LAB, MODEL
from support.sources import ROOT

from softix_proxy.cli.metering import top_screen
from softix_proxy.cli.metering.top_screen import TopControls
from softix_proxy.domain.core.clock import SECOND_US, parse_instant
from softix_proxy.domain.metering.live import LimitKind, NearLimit, OpenHolds, OpenRequest
from softix_proxy.domain.metering.usage import UsageRow, UsageSource
from softix_proxy.domain.routing.routes import ReportedHealth, RouteLeg
from softix_proxy.domain.routing.target_health import Breaker, TargetStats
from softix_proxy.operations.metering.live import LivePicture, LiveWish, RecentSums, as_fields
from softix_proxy.operations.routing.routes import RouteTarget, TargetHealth

GUIDE = ROOT / "docs" / "operating.md"
PLACE = re.compile(
    r"(?<=<!-- top: made by tests/golden/test_top_picture.py -->\n).*?(?=<!-- end of top -->)", re.DOTALL
)
NOW_US = parse_instant("2026-11-30T08:01:31Z")
CENT_PICO = 10**10
LINES = 32
AZURE = TargetStats(
    2,
    Breaker(failures=5, open_until_us=NOW_US + SECOND_US, pauses=1),
    latency_us=640_000,
    errors_ppm=312_000,
    last_error="provider_overloaded",
)
PEOPLE = {"ada": "sx_live_Ab3dEf", "grace": "sx_live_9kLmNp", "linus": "sx_live_T5xYz1"}


def request(number: int, user: str, provider: str, model: str, *, age_s: int, cents: int) -> OpenRequest:
    started_at_us, key = NOW_US - age_s * SECOND_US, PEOPLE[user]
    names = (f"usr_{user}", user, f"key_{user}", key, provider, model, "chat_completions")
    return OpenRequest(number, started_at_us, *names, stream=True, hold_pico=cents * CENT_PICO)


def ended(number: int, user: str, model: str, latency_ms: int, ttfb_ms: int, error: str | None = None) -> UsageRow:
    values: dict[str, Any] = {
        "id": NOW_US - number,
        "request_id": number,
        "usage_at_us": NOW_US,
        "user_id": 1,
        "user_public_id": f"usr_{user}",
        "user_name": user,
        "key_public_id": f"key_{user}",
        "key_prefix": PEOPLE[user],
        "provider": "openai",
        "model_id": 1,
        "model": model,
        "model_served": None,
        "endpoint": "chat_completions",
        "stream": True,
        "meters": {},
        "service_tier": None,
        "price_id": 1,
        "markup": Fraction(1),
        "cost_pico": 0,
        "charge_pico": 0,
        "hold_pico": 0,
        "status_code": 503 if error else 200,
        "error": error,
        "latency_ms": latency_ms,
        "ttfb_ms": ttfb_ms,
        "attempts": 1,
        "source": UsageSource.PROVIDER,
        "note": None,
    }
    return UsageRow(**values)


def target(number: int, provider: str, model: str, stats: TargetStats) -> TargetHealth:
    leg = RouteTarget(RouteLeg(number), replace(MODEL, id=number, name=model), replace(LAB, id=number, name=provider))
    return TargetHealth(leg, ReportedHealth(0, number, NOW_US, stats))


def sums(seconds: int, requests: int, cents: int, errors: dict[str, int]) -> RecentSums:
    charge_pico = cents * CENT_PICO
    return RecentSums(
        seconds=seconds,
        requests=requests,
        errors=Counter(errors),
        input_tokens=requests * 1_874,
        output_tokens=requests * 412,
        cost_pico=charge_pico,
        charge_pico=charge_pico,
    )


def near(kind: LimitKind, user: str, limit: int, left: int, period: str | None = None) -> NearLimit:
    key = None if kind is LimitKind.BALANCE else PEOPLE[user]
    return NearLimit(kind, f"usr_{user}", user, f"key_{user}", key, "", limit, left, period, NOW_US)


def picture() -> LivePicture:
    usd_pico = 100 * CENT_PICO
    return LivePicture(
        at_us=NOW_US,
        wish=LiveWish(),
        minute=sums(60, 184, 217, {"provider_overloaded": 2}),
        five_minutes=sums(300, 902, 1_074, {"provider_overloaded": 5, "client_gone": 1}),
        holds=OpenHolds(3, 61 * CENT_PICO, NOW_US - 48 * SECOND_US, 0, 0),
        open_requests=(
            request(1, "ada", "anthropic", "claude-opus-4-1", age_s=48, cents=42),
            request(2, "grace", "openai", "gpt-5", age_s=12, cents=11),
            request(3, "linus", "openai", "gpt-5", age_s=3, cents=8),
        ),
        slowest=(
            ended(4, "ada", "claude-opus-4-1", 93_412, 2_204),
            ended(5, "grace", "gpt-5", 41_870, 1_933),
            ended(6, "linus", "gpt-5", 30_012, 30_011, "provider_overloaded"),
        ),
        failed=(),
        limits=(
            near(LimitKind.REQUESTS, "linus", 60, 2),
            near(LimitKind.CAP, "ada", 50 * usd_pico, 6 * usd_pico, "month"),
            near(LimitKind.BALANCE, "grace", 5 * usd_pico, usd_pico),
        ),
        limits_found=3,
        targets=(
            target(1, "openai", "gpt-5", TargetStats(1, in_flight=2, latency_us=812_000)),
            target(2, "azure", "gpt-5", AZURE),
            target(3, "anthropic", "claude-opus-4-1", TargetStats(3, in_flight=1, latency_us=1_904_000)),
        ),
    )


def drawing() -> str:
    console = Console(file=io.StringIO(), width=80, height=LINES, color_system=None)
    with console.capture() as captured:
        console.print(top_screen.drawing(as_fields(picture()), TopControls(LiveWish()), 1, 80, LINES))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def test_picture_in_the_guide_is_what_the_command_draws() -> None:
    drawn = f"\n```text\n{drawing()}\n```\n\n"
    text = GUIDE.read_text("utf-8")
    if "--update" in sys.argv:
        text = PLACE.sub(lambda _: drawn, text)
        GUIDE.write_text(text, "utf-8")
    [shown] = PLACE.findall(text)
    assert shown == drawn, "instead: python tests/golden/test_top_picture.py --update"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, "-n", "0"]))
