"""The rules of the books, each as a query for what breaks it: (what it concerns, in what way).

Sums run over the upper and the lower 32 bits apart, since SQLite's own overflow at 64; what one wallet holds fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from softix_proxy.domain.usage import INPUT_METERS, OUTPUT_METERS

COUNTS = "SELECT (SELECT count(*) FROM transfers), (SELECT count(*) FROM usage), (SELECT count(*) FROM intents)"
ACCOUNT_SUMS = """
SELECT account, sum(amount >> 32) AS upper, sum(amount & 4294967295) AS lower FROM (
  SELECT to_account AS account, amount_pico AS amount FROM transfers
  UNION ALL SELECT from_account, -amount_pico FROM transfers
) GROUP BY account"""
_DAY_US = 86_400_000_000


def _sum(meters: Iterable[str]) -> str:
    return f"sum({' + '.join(f'coalesce({name}, 0)' for name in sorted(meters))})"


RULES: Mapping[str, str] = {
    "a wallet's balance is the sum of its entries": f"""
WITH sums AS ({ACCOUNT_SUMS})
SELECT public_id, 'cached ' || posted_pico || ', entries ' || coalesce((upper << 32) + lower, 0) || ' pico-USD'
FROM wallets JOIN users ON users.id = user_id LEFT JOIN sums ON account = user_id
WHERE posted_pico <> coalesce((upper << 32) + lower, 0)""",
    "every entry is of a known account": """
SELECT id, 'from ' || from_account || ' to ' || to_account FROM transfers
WHERE from_account NOT IN (SELECT id FROM accounts UNION ALL SELECT user_id FROM wallets)
   OR to_account NOT IN (SELECT id FROM accounts UNION ALL SELECT user_id FROM wallets)""",
    "a wallet's held money is the sum of its open holds": """
WITH holds AS (SELECT user_id, sum(hold_pico) AS held FROM intents GROUP BY user_id)
SELECT coalesce(public_id, 'user ' || user_id),
  'cached ' || coalesce(held_pico, 'nothing') || ', holds ' || coalesce(held, 0) || ' pico-USD'
FROM holds FULL JOIN wallets USING (user_id) LEFT JOIN users ON users.id = user_id
WHERE held_pico IS NOT coalesce(held, 0)""",
    "a key's open requests and held money are those of its open holds": """
WITH holds AS (SELECT key_id, sum(hold_pico) AS held, count(*) AS open FROM intents GROUP BY key_id)
SELECT coalesce(public_id, 'key ' || key_id), 'cached ' || coalesce(open_requests || ' for ' || held_pico, 'nothing')
  || ', holds ' || coalesce(open, 0) || ' for ' || coalesce(held, 0) || ' pico-USD'
FROM holds FULL JOIN key_states USING (key_id) LEFT JOIN keys ON keys.id = key_id
WHERE held_pico IS NOT coalesce(held, 0) OR open_requests IS NOT coalesce(open, 0)""",
    "every charge has its usage row": """
SELECT transfers.id, 'charge of ' || amount_pico || ' pico-USD' FROM transfers
LEFT JOIN usage ON usage.id = transfers.id
WHERE kind = 'charge' AND (charge_pico IS NOT amount_pico OR user_id IS NOT from_account OR to_account <> -2)""",
    "every usage row has its charge": """
SELECT usage.id, 'usage of ' || charge_pico || ' pico-USD' FROM usage
LEFT JOIN transfers ON transfers.id = usage.id AND kind = 'charge'
WHERE charge_pico <> coalesce(amount_pico, 0)""",
    "a request is open or settled, not both": """
SELECT usage.id, 'request ' || intents.request_id FROM intents JOIN usage USING (request_id)""",
    "what a key has spent is the sum of its charges": """
WITH RECURSIVE charges AS (SELECT key_id, sum(charge_pico) AS spent FROM usage GROUP BY key_id),
line (id, ancestor) AS (
  SELECT id, id FROM keys UNION ALL
  SELECT line.id, keys.rotated_from FROM line JOIN keys ON keys.id = line.ancestor WHERE rotated_from IS NOT NULL)
SELECT coalesce(public_id, 'key ' || key_id),
  'cached ' || coalesce(spent_total_pico, 'nothing') || ', own charges ' || coalesce(charges.spent, 0) || ' pico-USD'
FROM charges FULL JOIN key_states USING (key_id) LEFT JOIN keys ON keys.id = key_id
WHERE coalesce(spent_total_pico, 0) < coalesce(charges.spent, 0) OR spent_total_pico > (
  SELECT coalesce(sum(above.spent), 0) FROM line JOIN charges AS above ON above.key_id = ancestor
  WHERE line.id = keys.id)""",
    "the daily sums are those of the usage rows": f"""
WITH days AS (
  SELECT id / {_DAY_US} AS day, key_id, model_id, count(*) AS requests, count(error) AS errors,
    {_sum(INPUT_METERS)} AS input, {_sum(OUTPUT_METERS)} AS output, sum(cost_pico) AS cost, sum(charge_pico) AS charge
  FROM usage GROUP BY 1, 2, 3)
SELECT 'day ' || coalesce(days.day, daily.day), 'key ' || coalesce(days.key_id, daily.key_id)
FROM days FULL JOIN usage_daily AS daily
  ON daily.day = days.day AND daily.key_id = days.key_id AND daily.model_id = days.model_id
WHERE daily.requests IS NOT days.requests OR daily.errors IS NOT days.errors
  OR daily.input_tokens IS NOT days.input OR daily.output_tokens IS NOT days.output
  OR daily.cost_pico IS NOT days.cost OR daily.charge_pico IS NOT days.charge""",
}
