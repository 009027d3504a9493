CREATE TABLE abuse_hours (
  key_id INTEGER NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
  hour INTEGER NOT NULL, -- since 1970 UTC
  requests INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0,
  hang_ups INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL DEFAULT 0,
  charge_pico INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (key_id, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX abuse_hours_by_hour ON abuse_hours (hour, key_id);

CREATE TABLE abuse_guesses (
  hour INTEGER NOT NULL,
  network TEXT NOT NULL,
  failed INTEGER NOT NULL,
  PRIMARY KEY (hour, network)
) STRICT, WITHOUT ROWID;

CREATE TABLE abuse_cursors (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE abuse_alerts (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  rule TEXT NOT NULL,
  subject TEXT NOT NULL, -- the public id of a key, an organisation or an account, or a network
  key_id INTEGER REFERENCES keys (id) ON DELETE SET NULL,
  user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
  text TEXT NOT NULL,
  figures TEXT NOT NULL, -- JSON
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  acked_us INTEGER
) STRICT;
CREATE INDEX abuse_alerts_by_subject ON abuse_alerts (rule, subject, last_us);
CREATE INDEX abuse_alerts_by_key ON abuse_alerts (key_id, id) WHERE key_id IS NOT NULL;
CREATE INDEX abuse_alerts_open ON abuse_alerts (id) WHERE acked_us IS NULL;
CREATE INDEX abuse_alerts_by_time ON abuse_alerts (last_us);

CREATE TABLE abuse_actions (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  alert_id INTEGER NOT NULL REFERENCES abuse_alerts (id),
  action TEXT NOT NULL CHECK (action IN ('throttle', 'suspend', 'reauthenticate')),
  key_id INTEGER REFERENCES keys (id) ON DELETE CASCADE,
  before TEXT NOT NULL, -- JSON: what an undo restores
  began_us INTEGER NOT NULL,
  until_us INTEGER, -- NULL: until it is undone
  undone_us INTEGER
) STRICT;
CREATE INDEX abuse_actions_by_alert ON abuse_actions (alert_id);
CREATE INDEX abuse_actions_by_key ON abuse_actions (key_id) WHERE undone_us IS NULL;
CREATE INDEX abuse_actions_ending ON abuse_actions (until_us) WHERE undone_us IS NULL AND until_us IS NOT NULL;

CREATE TABLE abuse_tunings (
  rule TEXT NOT NULL,
  key_id INTEGER NOT NULL, -- 0: every key that has none of its own
  enabled INTEGER CHECK (enabled IN (0, 1)), -- NULL: as the rule has it, and so for the others
  action TEXT CHECK (action IN ('alert', 'throttle', 'suspend', 'reauthenticate')),
  thresholds TEXT NOT NULL DEFAULT '{}', -- JSON
  PRIMARY KEY (rule, key_id)
) STRICT, WITHOUT ROWID;
