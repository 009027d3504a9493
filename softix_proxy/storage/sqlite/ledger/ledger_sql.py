"""The rules of the books. Each is a query for violations: the thing that it concerns, and in what way.

The rules that need sums over all rows are in `ledger_sums`.
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
WITH holds AS (SELECT key_id, sum(hold_pico) AS held, sum(slot >= 0) AS open FROM intents GROUP BY key_id)
SELECT coalesce(public_id, 'key ' || key_id), 'cached ' || coalesce(open_requests || ' for ' || held_pico, 'nothing')
  || ', holds ' || coalesce(open, 0) || ' for ' || coalesce(held, 0) || ' pico-USD'
FROM holds FULL JOIN key_states USING (key_id) LEFT JOIN keys ON keys.id = key_id
WHERE held_pico IS NOT coalesce(held, 0) OR open_requests IS NOT coalesce(open, 0)""",
    "a budget's held money is that of the open holds of its keys": """
WITH holds AS (
  SELECT budget_id, sum(hold_pico) AS held FROM intents JOIN key_budgets USING (key_id) GROUP BY budget_id
)
SELECT public_id, 'cached ' || held_pico || ', holds ' || coalesce(held, 0) || ' pico-USD'
FROM budgets LEFT JOIN holds ON budget_id = id WHERE held_pico <> coalesce(held, 0)""",
    "a cap's held money is that of the open holds that count in it": """
WITH holds AS (
  SELECT each.value AS cap_id, sum(hold_pico) AS held FROM intents, json_each(cap_ids) AS each GROUP BY each.value
)
SELECT 'cap ' || id, 'cached ' || held_pico || ', holds ' || coalesce(held, 0) || ' pico-USD'
FROM caps LEFT JOIN holds ON cap_id = id WHERE NOT end_users AND held_pico <> coalesce(held, 0)""",
    "what an end user holds within a cap is that of the open holds that count in it": """
WITH holds AS (
  SELECT each.value AS cap_id, end_user, sum(hold_pico) AS held FROM intents, json_each(cap_ids) AS each
  JOIN caps ON caps.id = each.value AND caps.end_users GROUP BY each.value, end_user
)
SELECT 'cap ' || cap_id || ' of end user ' || end_user,
  'cached ' || coalesce(held_pico, 0) || ', holds ' || coalesce(held, 0) || ' pico-USD'
FROM cap_end_users FULL JOIN holds USING (cap_id, end_user) WHERE coalesce(held_pico, 0) <> coalesce(held, 0)""",
    "a key's budgets are those of its owners": """
WITH owned AS (
  SELECT o.key_id, b.id AS budget_id FROM key_owners AS o JOIN keys ON keys.id = o.key_id
  JOIN budgets AS b ON b.user_id = keys.user_id AND (b.account_id = o.account_id OR b.project_id = o.project_id)
  WHERE o.until_number IS NULL
)
SELECT public_id,
  iif(owned.key_id IS NULL, 'has', 'lacks') || ' the budget ' || coalesce(owned.budget_id, kept.budget_id)
FROM owned FULL JOIN key_budgets AS kept ON kept.key_id = owned.key_id AND kept.budget_id = owned.budget_id
LEFT JOIN keys ON keys.id = coalesce(owned.key_id, kept.key_id)
WHERE owned.key_id IS NULL OR kept.key_id IS NULL""",
    "every charge has its usage row": """
SELECT transfers.id, 'charge of ' || amount_pico || ' pico-USD' FROM transfers
LEFT JOIN usage ON usage.id = transfers.id
WHERE kind = 'charge' AND (charge_pico IS NOT amount_pico OR user_id IS NOT from_account OR to_account <> -2)""",
    "every correction has its usage row": """
SELECT transfers.id, 'correction of ' || amount_pico || ' pico-USD' FROM transfers
LEFT JOIN usage ON usage.id = transfers.id
WHERE kind = 'correction' AND (corrects_row_id IS NULL OR -2 NOT IN (from_account, to_account)
  OR charge_pico IS NOT iif(to_account = -2, amount_pico, -amount_pico)
  OR user_id IS NOT iif(to_account = -2, from_account, to_account))""",
    "a correction is of a row of the same user and key, which is none itself": """
SELECT later.id, 'corrects ' || later.corrects_row_id FROM usage AS later
LEFT JOIN usage AS earlier ON earlier.id = later.corrects_row_id
WHERE later.corrects_row_id IS NOT NULL AND (earlier.id IS NULL
  OR earlier.corrects_row_id IS NOT NULL OR earlier.user_id <> later.user_id OR earlier.key_id <> later.key_id)""",
    "every usage row has its charge": """
SELECT usage.id, 'usage of ' || charge_pico || ' pico-USD' FROM usage
LEFT JOIN transfers ON transfers.id = usage.id AND kind = iif(corrects_row_id IS NULL, 'charge', 'correction')
WHERE abs(charge_pico) <> coalesce(amount_pico, 0)""",
    "a failed attempt is one of its request's": """
SELECT a.usage_id, 'attempt ' || sequence || ' of request ' || a.request_id FROM attempts AS a
LEFT JOIN usage ON usage.id = a.usage_id
WHERE usage.request_id IS NOT a.request_id OR usage.user_id <> a.user_id OR sequence >= usage.attempts""",
    "a request's charge covers its failed attempts": """
SELECT usage_id, 'attempts of ' || failed || ' pico-USD' FROM (
  SELECT usage_id, sum(charge_pico) AS failed FROM attempts GROUP BY usage_id
) JOIN usage ON usage.id = usage_id
WHERE failed > charge_pico AND coalesce(note, '') NOT LIKE '%limited_to_%'""",
    "a request is open or settled, not both": """
SELECT usage.id, 'request ' || intents.request_id FROM intents JOIN usage USING (request_id)""",
}
