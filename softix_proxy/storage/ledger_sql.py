"""The rules of the books, each as a query for what breaks it: (what it concerns, in what way).

Those that need sums over all rows are in `ledger_sums`.
"""

from __future__ import annotations

from collections.abc import Mapping

COUNTS = "SELECT (SELECT count(*) FROM transfers), (SELECT count(*) FROM usage), (SELECT count(*) FROM intents)"

RULES: Mapping[str, str] = {
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
}
