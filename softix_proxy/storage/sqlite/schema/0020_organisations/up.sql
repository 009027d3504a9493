CREATE TABLE projects (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users (id),
  name TEXT NOT NULL,
  created_at_us INTEGER NOT NULL,
  archived_at_us INTEGER
) STRICT;
CREATE UNIQUE INDEX projects_by_name ON projects (user_id, name COLLATE NOCASE) WHERE archived_at_us IS NULL;
CREATE INDEX projects_by_user ON projects (user_id, id);

CREATE TABLE invitations (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users (id),
  email TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'member', 'viewer')),
  invited_by INTEGER REFERENCES login_accounts (id), -- NULL: an operator
  created_at_us INTEGER NOT NULL,
  expires_at_us INTEGER NOT NULL,
  accepted_at_us INTEGER,
  revoked_at_us INTEGER
) STRICT;
CREATE INDEX invitations_by_user ON invitations (user_id, id);

CREATE TABLE key_owners (
  key_id INTEGER NOT NULL REFERENCES keys (id),
  from_number INTEGER NOT NULL, -- the first posting that is theirs
  until_number INTEGER, -- the first one that is not; NULL: they own it now
  account_id INTEGER REFERENCES login_accounts (id),
  project_id INTEGER REFERENCES projects (id),
  PRIMARY KEY (key_id, from_number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX key_owners_now ON key_owners (key_id) WHERE until_number IS NULL;
CREATE INDEX key_owners_by_account ON key_owners (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX key_owners_by_project ON key_owners (project_id) WHERE project_id IS NOT NULL;

CREATE TABLE budgets (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users (id),
  account_id INTEGER REFERENCES login_accounts (id),
  project_id INTEGER REFERENCES projects (id),
  period TEXT NOT NULL CHECK (period IN ('day', 'week', 'month')),
  amount_pico INTEGER NOT NULL CHECK (amount_pico >= 0),
  created_at_us INTEGER NOT NULL,
  held_pico INTEGER NOT NULL DEFAULT 0 CHECK (held_pico >= 0),
  spent_at_us INTEGER NOT NULL DEFAULT 0,
  spent_pico INTEGER NOT NULL DEFAULT 0,
  CHECK ((account_id IS NULL) <> (project_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX budgets_by_subject ON budgets (user_id, coalesce(account_id, 0), coalesce(project_id, 0), period);

CREATE TABLE key_budgets (
  key_id INTEGER NOT NULL REFERENCES keys (id),
  budget_id INTEGER NOT NULL REFERENCES budgets (id) ON DELETE CASCADE,
  PRIMARY KEY (key_id, budget_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_budgets_by_budget ON key_budgets (budget_id);

CREATE TABLE budget_alerts (
  budget_id INTEGER NOT NULL REFERENCES budgets (id) ON DELETE CASCADE,
  period_start_us INTEGER NOT NULL,
  percent INTEGER NOT NULL CHECK (percent IN (50, 80, 100)),
  reached_at_us INTEGER NOT NULL,
  told_at_us INTEGER,
  PRIMARY KEY (budget_id, period_start_us, percent)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_alerts_untold ON budget_alerts (reached_at_us) WHERE told_at_us IS NULL;
