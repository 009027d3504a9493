"""Postings for writers of formats, and what they make of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from softix_proxy.domain.clock import parse_instant
from softix_proxy.domain.ledger import ADJUSTMENTS, CASH, REVENUE, Posting
from softix_proxy.domain.money import PICO_PER_USD
from softix_proxy.domain.usage import Span, UsageRow, UsageSource
from softix_proxy.exports.form import ExportFormat, ExportOptions, Granularity

ROW = UsageRow(
    id=1_790_812_800_000_001,
    request_id=1 << 22,
    usage_at_us=1_790_812_799_000_000,
    user_id=1,
    user_public_id="usr_ada",
    user_name="ada",
    key_public_id="key_one",
    key_prefix="sx_live_one",
    provider="lab",
    model_id=2,
    model="llama",
    model_served=None,
    endpoint="/v1/messages",
    stream=True,
    meters={"input_tokens": 12, "output_tokens": 0},
    service_tier="standard",
    price_id=7,
    markup=Fraction(43, 40),
    cost_pico=1,
    charge_pico=25 * 10**12,
    hold_pico=0,
    status_code=200,
    error=None,
    latency_ms=80,
    ttfb_ms=None,
    attempts=1,
    source=UsageSource.PROVIDER,
    note=None,
)

OCTOBER = Span(parse_instant("2026-10-01"), parse_instant("2026-11-01"))
AT_US = parse_instant("2026-10-05T12:00:00.000007Z")
END_US = OCTOBER.to_us - 1
CENT = PICO_PER_USD // 100
ADA, BOB = ("usr_ada", "ada"), ("usr_bob", '=bob, "B"; a:b  c\nd')


_REQUEST = Posting(
    id=AT_US,
    kind="charge",
    account=REVENUE,
    user_id="",
    user_name="",
    wallet_pico=-CENT * 3 // 2,
    cost_pico=CENT,
    provider="lab",
    model="llama",
    requests=1,
    input_tokens=1200,
    output_tokens=30,
    request_id=1 << 22,
    usage_at_us=AT_US - 3_000_007,
)
_PAYMENT = Posting(AT_US, "top-up", CASH, "", "", 25 * PICO_PER_USD, 0, None, None, 0, 0, 0)


def posting(user: tuple[str, str] = ADA, **changes: Any) -> Posting:
    """One request of a cent and a half."""
    return _REQUEST._replace(user_id=user[0], user_name=user[1])._replace(**changes)


def added_up(user: tuple[str, str] = ADA, **changes: Any) -> Posting:
    """Seven requests of a month."""
    return posting(user, id=END_US, requests=7, request_id=None, usage_at_us=None)._replace(**changes)


def paid(user: tuple[str, str] = ADA, **changes: Any) -> Posting:
    return _PAYMENT._replace(user_id=user[0], user_name=user[1])._replace(**changes)


def adjusted(user: tuple[str, str] = ADA, **changes: Any) -> Posting:
    return paid(user, kind="adjustment", account=ADJUSTMENTS, wallet_pico=CENT)._replace(**changes)


MONTH: Sequence[Posting] = (
    added_up(),
    added_up(model="mu", wallet_pico=-2 * CENT),
    adjusted(id=END_US, wallet_pico=-CENT),
    added_up(kind="correction", wallet_pico=CENT // 2 + 1, requests=0, note=None),
    paid(id=END_US),
    added_up(BOB, wallet_pico=-1234 * CENT - 1),
    paid(BOB, id=END_US),
)


def options(
    form: ExportFormat, names: Sequence[str] = (), granularity: Granularity | None = None, **told: Any
) -> ExportOptions:
    granularity = granularity or form.granularities[0]
    return ExportOptions(told.pop("span", OCTOBER), "out", granularity, form.names.chart(names), **told)


def written(
    form: ExportFormat, postings: Iterable[Posting], known: Iterable[Posting] = (), **told: Any
) -> dict[str, str]:
    """File → text."""
    writer = form.make(options(form, **told))
    writer.known(known)
    files: dict[str, str] = {}
    for piece in (*writer.feed(postings), *writer.end()):
        files[piece.file] = files.get(piece.file, "") + piece.text.decode()
    return files


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
