"""The statements for documents: sums of usage in portions of consecutive rows, and the bills themselves."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from softix_proxy.domain.billing.bill import CorrectionSum, Document, Payment, StoredDocument, UsageSum
from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.explanation import LIMITED
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS
from softix_proxy.domain.pricing.rates import STANDARD
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, Stored, converted, selected
from softix_proxy.storage.sqlite.core.wide_sums import split_sum, summed
from softix_proxy.storage.sqlite.metering.usage_sql import read_meters

_INPUT = " + ".join(f"coalesce(u.{name}, 0)" for name in METERS if name in INPUT_METERS)
_METERS = ", ".join(f"sum(u.{name}) AS {name}" for name in METERS)
_CHARGE = split_sum("u.charge_pico", "charge")
_MODEL = "LEFT JOIN models ON models.id = sums.model_id LEFT JOIN providers ON providers.id = models.provider_id"
_NAME = "providers.name || '/' || models.name"


def usage_sum(bands: Sequence[int]) -> RecordMapping[UsageSum]:
    """Returns the mapping of a sum.

    `bands` has the input tokens that choose the price band, by the number of steps that were passed.
    """
    return RecordMapping(
        UsageSum,
        user_id=selected("sums.user_id"),
        model_id=selected("sums.model_id"),
        model=selected(f"coalesce({_NAME}, '-')"),
        price_id=selected("sums.price_id"),
        service_tier=selected("sums.service_tier", read=lambda tier: tier or STANDARD),
        band_tokens=selected("sums.passed", read=lambda passed: bands[passed]),
        markup=selected("sums.markup_num", "sums.markup_den", read=Fraction),
        label=selected("sums.label"),
        fee_pico=selected("sums.fee"),
        rows=selected("sums.row_count"),
        meters=selected(*(f"sums.{name}" for name in METERS), read=read_meters),
        charge_pico=summed("sums.charge"),
    )


_LIMITED = " ".join(f"WHEN u.note LIKE '%{word}%' THEN '{word}'" for word in LIMITED)


def usage_sums(steps: Sequence[int]) -> str:
    """Returns the statement for the `usage_sum`s of the rows after ?1 up to ?2.

    They are those of one user, unless ?3 is NULL. Free usage is left out.
    """
    passed = " + ".join(f"(({_INPUT}) > {step:d})" for step in steps) or "0"
    return f"""
SELECT {usage_sum(()).select()} FROM (
  SELECT {passed} AS passed, u.user_id, u.model_id, u.price_id, u.service_tier, u.markup_num, u.markup_den,
    CASE WHEN u.source = 'interrupted' THEN 'interrupted'
         {_LIMITED} ELSE '' END AS label,
    coalesce(u.fee_pico, 0) AS fee,
    count(*) AS row_count, {_CHARGE}, {_METERS}
  FROM usage AS u
  WHERE u.id > ?1 AND u.id <= ?2 AND u.corrects_row_id IS NULL AND u.charge_pico <> 0 AND (?3 IS NULL OR u.user_id = ?3)
  GROUP BY passed, u.user_id, u.model_id, u.price_id, u.service_tier, u.markup_num, u.markup_den, label, fee
) AS sums {_MODEL}"""


def _to_span(from_us: int | None, to_us: int | None) -> Span | None:
    return None if from_us is None or to_us is None else Span(from_us=from_us, to_us=to_us)


_CANCELLED = "EXISTS (SELECT 1 FROM bills AS credit WHERE credit.about_id = bills.id AND credit.cancels = 1)"


def correction_sum(months: Calendar) -> RecordMapping[CorrectionSum]:
    return RecordMapping(
        CorrectionSum,
        user_id=selected("sums.user_id"),
        model=selected(f"coalesce({_NAME}, '-')"),
        about_id=selected("sums.about_id"),
        month=selected("sums.month", read=lambda month_us: f"{months.date(month_us):%Y-%m}"),
        note=selected("coalesce(sums.note, '')"),
        rows=selected("sums.row_count"),
        charge_pico=summed("sums.charge"),
    )


CORRECTION_SUMS = f"""
SELECT {correction_sum(Calendar("UTC")).select()} FROM (
  SELECT u.user_id, u.model_id, bills.id AS about_id,
    (SELECT max(value) FROM json_each(?4) WHERE value <= u.corrects_row_id) AS month,
    CASE WHEN min(u.note) = max(u.note) THEN min(u.note) ELSE '' END AS note, count(*) AS row_count, {_CHARGE}
  FROM usage AS u LEFT JOIN bills ON bills.user_id = u.user_id AND bills.covers = 1 AND NOT {_CANCELLED}
    AND u.corrects_row_id >= bills.from_us AND u.corrects_row_id < bills.to_us
  WHERE u.id > ?1 AND u.id <= ?2 AND u.corrects_row_id IS NOT NULL AND u.charge_pico <> 0
    AND (?3 IS NULL OR u.user_id = ?3)
  GROUP BY u.user_id, u.model_id, bills.id, month
) AS sums {_MODEL}"""
"""The sums of corrections. ?4 has the beginnings of months in microseconds, as JSON."""
CORRECTED = """
SELECT min(id), max(id), min(corrects_row_id), max(corrects_row_id) FROM usage
WHERE corrects_row_id IS NOT NULL AND +id >= ? AND +id < ?"""
"""The range of the corrections. It is read from the index of corrections, which are few."""
PAYMENT = RecordMapping(
    Payment,
    "id",
    "kind",
    "reference",
    "note",
    user_id=selected("iif(to_account > 0, to_account, from_account) AS user_id"),
    amount_pico=selected("iif(to_account > 0, amount_pico, -amount_pico)"),
)
PAYMENTS = f"""
SELECT {PAYMENT.select()} FROM transfers
WHERE kind <> 'charge' AND kind IN ('top-up', 'adjustment') AND id >= ?1 AND id < ?2
  AND (?3 IS NULL OR user_id = ?3) ORDER BY id"""
CHARGED_ROWS = f"""
SELECT u.user_id, {_CHARGE} FROM usage AS u
WHERE u.id > ?1 AND u.id <= ?2 AND (?3 IS NULL OR u.user_id = ?3) GROUP BY u.user_id"""
CHARGED_DAYS = f"""
SELECT user_id, {split_sum("charge_pico", "charge")} FROM usage_daily
WHERE day >= ?1 AND (?2 IS NULL OR user_id = ?2) GROUP BY user_id"""

BILL = RecordMapping(
    StoredDocument,
    "user_id",
    "issued_at_us",
    "about_id",
    "transfer_id",
    "exact_pico",
    "carried_pico",
    id=Stored(("id",), ("bills.id",)),
    document=converted(
        lambda text: msgspec.json.decode(text, type=Document), lambda document: msgspec.json.encode(document).decode()
    ),
    span=Stored(("from_us", "to_us"), read=_to_span, write=lambda span: span or (None, None)),
    covers=converted(bool),
    cancels=converted(bool),
)
NEXT = """
SELECT 1 + max(coalesce(max(sequence), 0), coalesce((
  SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM instance WHERE name = 'given_out:' || ?1), 0))
FROM bills WHERE series = ?1"""
"""The next number of a series. Some may have been given out after the backup that was restored."""
LIST = (
    f"SELECT {BILL.select()} FROM bills WHERE (?1 IS NULL OR user_id = ?1) AND (?2 IS NULL OR period = ?2) ORDER BY id"
)
OF_PERIOD = f"""
SELECT {BILL.select()} FROM bills
WHERE user_id = ?1 AND kind <> 'receipt' AND cancels = 0 AND from_us < ?3 AND to_us > ?2
  AND NOT {_CANCELLED} ORDER BY id"""
CARRIED = "SELECT carried_pico FROM bills WHERE user_id = ? AND carried_pico IS NOT NULL ORDER BY id DESC LIMIT 1"
