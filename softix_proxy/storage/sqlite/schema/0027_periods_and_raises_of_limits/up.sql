ALTER TABLE budgets ADD COLUMN zone TEXT; -- NULL: the zone that is billed in
ALTER TABLE budgets ADD COLUMN reset_day INTEGER; -- NULL: the first day of the week or month
ALTER TABLE budgets ADD COLUMN alerts TEXT; -- NULL: 50, 80 and 100 percent
ALTER TABLE budgets ADD COLUMN raised_pico INTEGER;
ALTER TABLE budgets ADD COLUMN raised_until_us INTEGER;

CREATE TABLE budget_alerts_at_any_share (
  budget_id INTEGER NOT NULL REFERENCES budgets (id) ON DELETE CASCADE,
  period_start_us INTEGER NOT NULL,
  percent INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 100),
  reached_at_us INTEGER NOT NULL,
  told_at_us INTEGER,
  PRIMARY KEY (budget_id, period_start_us, percent)
) STRICT, WITHOUT ROWID;
INSERT INTO budget_alerts_at_any_share (budget_id, period_start_us, percent, reached_at_us, told_at_us)
SELECT budget_id, period_start_us, percent, reached_at_us, told_at_us FROM budget_alerts;
DROP TABLE budget_alerts;
ALTER TABLE budget_alerts_at_any_share RENAME TO budget_alerts;
CREATE INDEX budget_alerts_untold ON budget_alerts (reached_at_us) WHERE told_at_us IS NULL;

CREATE TABLE caps (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id),
  key_id INTEGER REFERENCES keys (id), -- NULL: of all keys of the user together
  models TEXT NOT NULL DEFAULT '', -- the pattern of the models that count; empty: all
  period TEXT NOT NULL CHECK (period IN ('day', 'week', 'month', 'total')),
  amount_pico INTEGER NOT NULL CHECK (amount_pico >= 0),
  created_at_us INTEGER NOT NULL,
  zone TEXT,
  reset_day INTEGER,
  alerts TEXT NOT NULL DEFAULT '',
  raised_pico INTEGER,
  raised_until_us INTEGER,
  held_pico INTEGER NOT NULL DEFAULT 0 CHECK (held_pico >= 0),
  spent_at_us INTEGER NOT NULL DEFAULT 0,
  spent_pico INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX caps_by_subject ON caps (user_id, coalesce(key_id, 0), models, period);
CREATE INDEX caps_by_key ON caps (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX caps_of_users ON caps (user_id) WHERE key_id IS NULL;

CREATE TABLE cap_alerts (
  cap_id INTEGER NOT NULL REFERENCES caps (id) ON DELETE CASCADE,
  period_start_us INTEGER NOT NULL,
  percent INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 100),
  reached_at_us INTEGER NOT NULL,
  told_at_us INTEGER,
  PRIMARY KEY (cap_id, period_start_us, percent)
) STRICT, WITHOUT ROWID;
CREATE INDEX cap_alerts_untold ON cap_alerts (reached_at_us) WHERE told_at_us IS NULL;

ALTER TABLE intents ADD COLUMN cap_ids TEXT; -- the caps that have its hold, as JSON; NULL: none

ALTER TABLE keys ADD COLUMN model_rates TEXT NOT NULL DEFAULT '[]'; -- its limits a minute by pattern of models, as JSON

CREATE TABLE model_rate_states (
  key_id INTEGER NOT NULL REFERENCES keys (id),
  models TEXT NOT NULL,
  rpm_tat_us INTEGER NOT NULL DEFAULT 0,
  tpm_tat_us INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (key_id, models)
) STRICT, WITHOUT ROWID;

CREATE TABLE limit_templates (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL COLLATE NOCASE UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('key', 'user')),
  parts TEXT NOT NULL, -- JSON: the limits for all models, and for patterns of models
  created_at_us INTEGER NOT NULL
) STRICT;

CREATE TABLE template_defaults (
  kind TEXT NOT NULL CHECK (kind IN ('key', 'user')),
  user_id INTEGER NOT NULL, -- of the organisation; 0: all that have none of their own
  template_id INTEGER NOT NULL REFERENCES limit_templates (id),
  PRIMARY KEY (kind, user_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE providers ADD COLUMN model_patterns TEXT NOT NULL DEFAULT '[]'; -- what is offered as far as it has a price
