CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  email TEXT NOT NULL,
  account_id INTEGER, -- the account that it is for; NULL where the person has none yet
  template_values TEXT NOT NULL, -- JSON; wiped once it is sent
  sealed_links BLOB, -- NULL where there are none, and once it is sent
  once TEXT UNIQUE,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'given-up')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at_us INTEGER NOT NULL, -- the next attempt, or the end of the lease of the running one
  error TEXT, -- the class of the last failure, without anything that a server or a person wrote
  created_at_us INTEGER NOT NULL,
  ended_at_us INTEGER,
  CHECK ((state = 'waiting') = (ended_at_us IS NULL)),
  CHECK (state <> 'sent' OR (sealed_links IS NULL AND template_values = '{}'))
) STRICT;
CREATE INDEX outbox_waiting ON outbox (next_at_us) WHERE state = 'waiting';
CREATE INDEX outbox_ended ON outbox (ended_at_us) WHERE ended_at_us IS NOT NULL;

CREATE TABLE muted_notices (
  account_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  PRIMARY KEY (account_id, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE balance_thresholds (
  account_id INTEGER NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users (id),
  threshold_pico INTEGER NOT NULL CHECK (threshold_pico >= 0),
  PRIMARY KEY (account_id, user_id, threshold_pico)
) STRICT, WITHOUT ROWID;

CREATE TABLE notice_conditions (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  since_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_conditions_by_kind ON notice_conditions (kind);
