"""The statements of documents: sums of usage in portions of consecutive rows, and the bills themselves."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.metering.explanation import LIMITED_TO_HOLD
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS

_INPUT = " + ".join(f"coalesce(u.{name}, 0)" for name in METERS if name in INPUT_METERS)
_METERS = ", ".join(f"sum(u.{name})" for name in METERS)
_CHARGE = "sum(u.charge_pico/1000000), sum(u.charge_pico%1000000)"
_MODEL = "LEFT JOIN models ON models.id = sums.model_id LEFT JOIN providers ON providers.id = models.provider_id"
_NAME = "providers.name || '/' || models.name"


def usage_sums(steps: Sequence[int]) -> str:
    """(Model, how many steps its input tokens passed, and what the rows have) of the rows after ?1 up to ?2.

    Of one user, unless ?3 is NULL. What is free has no part in it.
    """
    passed = " + ".join(f"(({_INPUT}) > {step:d})" for step in steps) or "0"
    return f"""
SELECT {_NAME}, sums.* FROM (
  SELECT {passed} AS passed, u.user_id, u.model_id, u.price_id, u.service_tier, u.markup_num, u.markup_den,
    CASE WHEN u.source = 'interrupted' THEN 'interrupted'
         WHEN u.note LIKE '%{LIMITED_TO_HOLD}%' THEN '{LIMITED_TO_HOLD}' ELSE '' END AS label,
    coalesce(u.fee_pico, 0) AS fee,
    count(*), {_CHARGE}, {_METERS}
  FROM usage AS u
  WHERE u.id > ?1 AND u.id <= ?2 AND u.corrects_row_id IS NULL AND u.charge_pico <> 0 AND (?3 IS NULL OR u.user_id = ?3)
  GROUP BY passed, u.user_id, u.model_id, u.price_id, u.service_tier, u.markup_num, u.markup_den, label, fee
) AS sums {_MODEL}"""


_CANCELLED = "EXISTS (SELECT 1 FROM bills AS credit WHERE credit.about_id = bills.id AND credit.cancels = 1)"
CORRECTION_SUMS = f"""
SELECT {_NAME}, sums.* FROM (
  SELECT u.user_id, u.model_id, bills.id,
    (SELECT max(value) FROM json_each(?4) WHERE value <= u.corrects_row_id) AS month,
    CASE WHEN min(u.note) = max(u.note) THEN min(u.note) ELSE '' END, count(*), {_CHARGE}
  FROM usage AS u LEFT JOIN bills ON bills.user_id = u.user_id AND bills.covers = 1 AND NOT {_CANCELLED}
    AND u.corrects_row_id >= bills.from_us AND u.corrects_row_id < bills.to_us
  WHERE u.id > ?1 AND u.id <= ?2 AND u.corrects_row_id IS NOT NULL AND u.charge_pico <> 0
    AND (?3 IS NULL OR u.user_id = ?3)
  GROUP BY u.user_id, u.model_id, bills.id, month
) AS sums {_MODEL}"""
"""?4: when months began, in microseconds, as JSON."""
CORRECTED = """
SELECT min(id), max(id), min(corrects_row_id), max(corrects_row_id) FROM usage
WHERE corrects_row_id IS NOT NULL AND +id >= ? AND +id < ?"""
"""Read from the index of corrections, which are few."""
PAYMENTS = """
SELECT id, iif(to_account > 0, to_account, from_account) AS user_id, kind,
  iif(to_account > 0, amount_pico, -amount_pico), reference, note
FROM transfers WHERE kind <> 'charge' AND kind IN ('top-up', 'adjustment') AND id >= ?1 AND id < ?2
  AND (?3 IS NULL OR user_id = ?3) ORDER BY id"""
CHARGED_ROWS = f"""
SELECT u.user_id, {_CHARGE} FROM usage AS u
WHERE u.id > ?1 AND u.id <= ?2 AND (?3 IS NULL OR u.user_id = ?3) GROUP BY u.user_id"""
CHARGED_DAYS = """
SELECT user_id, sum(charge_pico/1000000), sum(charge_pico%1000000) FROM usage_daily
WHERE day >= ?1 AND (?2 IS NULL OR user_id = ?2) GROUP BY user_id"""

BILL = (
    "bills.id, user_id, document, from_us, to_us, covers, issued_at_us, about_id, cancels, transfer_id, "
    "exact_pico, carried_pico"
)
NEXT = "SELECT 1 + coalesce(max(sequence), 0) FROM bills WHERE series = ?"
ADD = """
INSERT INTO bills (series, sequence, number, kind, user_id, period, from_us, to_us, covers, about_id, cancels,
  transfer_id, exact_pico, carried_pico, issued_at_us, document)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
LIST = f"SELECT {BILL} FROM bills WHERE (?1 IS NULL OR user_id = ?1) AND (?2 IS NULL OR period = ?2) ORDER BY id"
OF_PERIOD = f"""
SELECT {BILL} FROM bills WHERE user_id = ?1 AND kind <> 'receipt' AND cancels = 0 AND from_us < ?3 AND to_us > ?2
  AND NOT {_CANCELLED} ORDER BY id"""
CARRIED = "SELECT carried_pico FROM bills WHERE user_id = ? AND carried_pico IS NOT NULL ORDER BY id DESC LIMIT 1"
