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
