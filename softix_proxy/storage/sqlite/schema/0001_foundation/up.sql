CREATE TABLE instance (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE directory_revision (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL) STRICT;
INSERT INTO directory_revision VALUES (1, 1);

-- The directory.

CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL COLLATE NOCASE UNIQUE,
  email TEXT NOT NULL COLLATE NOCASE UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('user', 'support', 'billing', 'auditor', 'admin')),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  postpaid INTEGER NOT NULL DEFAULT 0 CHECK (postpaid IN (0, 1)),
  password_hash TEXT,
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE keys (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users (id),
  label TEXT NOT NULL DEFAULT '',
  prefix TEXT NOT NULL,
  digest BLOB NOT NULL UNIQUE,
  models TEXT NOT NULL DEFAULT '[]',
  allow_ip TEXT NOT NULL DEFAULT '[]',
  rpm INTEGER CHECK (rpm > 0),
  tpm INTEGER CHECK (tpm > 0),
  concurrency INTEGER CHECK (concurrency > 0),
  cap_pico INTEGER CHECK (cap_pico >= 0),
  cap_period TEXT NOT NULL DEFAULT 'total' CHECK (cap_period IN ('day', 'week', 'month', 'total')),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'revoked')),
  expires_at_us INTEGER,
  rotated_from INTEGER REFERENCES keys (id),
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX keys_by_user ON keys (user_id);

CREATE TABLE providers (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  base_url TEXT NOT NULL,
  sealed_key BLOB,
  on_hang_up TEXT NOT NULL CHECK (on_hang_up IN ('cancel', 'drain')),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled', 'removed')),
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE models (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  provider_id INTEGER NOT NULL REFERENCES providers (id),
  upstream_name TEXT NOT NULL,
  context_tokens INTEGER CHECK (context_tokens > 0),
  max_output_tokens INTEGER CHECK (max_output_tokens >= 0),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  UNIQUE (provider_id, name)
) STRICT;

CREATE TABLE prices (
  id INTEGER PRIMARY KEY,
  model_id INTEGER NOT NULL REFERENCES models (id),
  user_id INTEGER REFERENCES users (id),
  source TEXT NOT NULL CHECK (source IN ('catalogue', 'operator', 'customer')),
  sheet TEXT NOT NULL,
  starts_at_us INTEGER NOT NULL,
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  CHECK ((source = 'customer') = (user_id IS NOT NULL))
) STRICT;
CREATE INDEX prices_by_model ON prices (model_id);

CREATE TABLE markups (
  id INTEGER PRIMARY KEY,
  scope TEXT NOT NULL CHECK (scope IN ('default', 'user', 'model')),
  subject_id INTEGER,
  numerator INTEGER NOT NULL,
  denominator INTEGER NOT NULL CHECK (denominator > 0),
  starts_at_us INTEGER NOT NULL,
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  CHECK ((scope = 'default') = (subject_id IS NULL))
) STRICT;

-- The ledger. A user's wallet is the account with the user's id; the operator's accounts are negative.

CREATE TABLE accounts (id INTEGER PRIMARY KEY CHECK (id < 0), name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO accounts VALUES (-1, 'cash'), (-2, 'revenue'), (-3, 'adjustments');

CREATE TABLE wallets (
  user_id INTEGER PRIMARY KEY REFERENCES users (id),
  posted_pico INTEGER NOT NULL DEFAULT 0,
  held_pico INTEGER NOT NULL DEFAULT 0 CHECK (held_pico >= 0),
  credit_pico INTEGER NOT NULL DEFAULT 0 CHECK (credit_pico >= 0)
) STRICT;

CREATE TABLE transfers (
  id INTEGER PRIMARY KEY,
  from_account INTEGER NOT NULL,
  to_account INTEGER NOT NULL,
  amount_pico INTEGER NOT NULL CHECK (amount_pico > 0),
  kind TEXT NOT NULL CHECK (kind IN ('top-up', 'adjustment', 'charge', 'correction')),
  reference TEXT,
  note TEXT,
  CHECK (from_account <> to_account)
) STRICT;
CREATE UNIQUE INDEX transfers_by_reference ON transfers (reference) WHERE reference IS NOT NULL;
CREATE INDEX transfers_other_than_charges ON transfers (kind, id) WHERE kind <> 'charge';

-- The journal.

CREATE TABLE key_states (
  key_id INTEGER PRIMARY KEY REFERENCES keys (id),
  rpm_tat_us INTEGER NOT NULL DEFAULT 0,
  tpm_tat_us INTEGER NOT NULL DEFAULT 0,
  open_requests INTEGER NOT NULL DEFAULT 0 CHECK (open_requests >= 0),
  held_pico INTEGER NOT NULL DEFAULT 0 CHECK (held_pico >= 0),
  spent_at_us INTEGER NOT NULL DEFAULT 0,
  spent_day_pico INTEGER NOT NULL DEFAULT 0,
  spent_week_pico INTEGER NOT NULL DEFAULT 0,
  spent_month_pico INTEGER NOT NULL DEFAULT 0,
  spent_total_pico INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE intents (
  request_id INTEGER PRIMARY KEY,
  slot INTEGER NOT NULL, -- of the process that owns it; its lock file tells whether that lives
  user_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  provider_id INTEGER NOT NULL,
  model_id INTEGER NOT NULL,
  price_id INTEGER,
  endpoint TEXT NOT NULL,
  stream INTEGER NOT NULL,
  hold_pico INTEGER NOT NULL CHECK (hold_pico >= 0),
  started_at_us INTEGER NOT NULL
) STRICT;

CREATE TABLE usage (
  id INTEGER PRIMARY KEY,
  request_id INTEGER NOT NULL UNIQUE,
  usage_at_us INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  provider_id INTEGER NOT NULL,
  model_id INTEGER NOT NULL,
  model_served TEXT,
  endpoint TEXT NOT NULL,
  stream INTEGER NOT NULL,
  input_tokens INTEGER,
  cached_input_tokens INTEGER,
  cache_write_5m_tokens INTEGER,
  cache_write_1h_tokens INTEGER,
  audio_input_tokens INTEGER,
  image_input_tokens INTEGER,
  output_tokens INTEGER,
  reasoning_tokens INTEGER,
  audio_output_tokens INTEGER,
  image_output_tokens INTEGER,
  web_search_calls INTEGER,
  tool_calls INTEGER,
  audio_ms INTEGER,
  images INTEGER,
  requests INTEGER,
  service_tier TEXT,
  price_id INTEGER,
  markup_num INTEGER NOT NULL,
  markup_den INTEGER NOT NULL,
  cost_pico INTEGER NOT NULL CHECK (cost_pico >= 0),
  charge_pico INTEGER NOT NULL CHECK (charge_pico >= 0),
  hold_pico INTEGER NOT NULL,
  status_code INTEGER NOT NULL,
  error TEXT,
  latency_ms INTEGER NOT NULL,
  ttfb_ms INTEGER,
  attempts INTEGER NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('provider', 'partial', 'estimate', 'interrupted', 'none')),
  note TEXT
) STRICT;

CREATE TABLE usage_daily (
  day INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  model_id INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  provider_id INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cost_pico INTEGER NOT NULL,
  charge_pico INTEGER NOT NULL,
  PRIMARY KEY (day, key_id, model_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE unpriced_asks (
  model_id INTEGER PRIMARY KEY REFERENCES models (id),
  asks INTEGER NOT NULL,
  last_asked_at_us INTEGER NOT NULL
) STRICT;

-- Every change to a directory row raises the revision and stamps the row with it.

CREATE INDEX users_by_revision ON users (revision);
CREATE TRIGGER users_insert AFTER INSERT ON users BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE users SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER users_update AFTER UPDATE ON users WHEN NEW.revision = OLD.revision BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE users SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE INDEX keys_by_revision ON keys (revision);
CREATE TRIGGER keys_insert AFTER INSERT ON keys BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE keys SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER keys_update AFTER UPDATE ON keys WHEN NEW.revision = OLD.revision BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE keys SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE INDEX providers_by_revision ON providers (revision);
CREATE TRIGGER providers_insert AFTER INSERT ON providers BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE providers SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER providers_update AFTER UPDATE ON providers WHEN NEW.revision = OLD.revision BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE providers SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE INDEX models_by_revision ON models (revision);
CREATE TRIGGER models_insert AFTER INSERT ON models BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE models SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER models_update AFTER UPDATE ON models WHEN NEW.revision = OLD.revision BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE models SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE INDEX prices_by_revision ON prices (revision);
CREATE TRIGGER prices_insert AFTER INSERT ON prices BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE prices SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE INDEX markups_by_revision ON markups (revision);
CREATE TRIGGER markups_insert AFTER INSERT ON markups BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE markups SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;

-- What is posted stays as it is.

CREATE TRIGGER usage_no_update BEFORE UPDATE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
CREATE TRIGGER usage_no_delete BEFORE DELETE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers BEGIN SELECT raise(ABORT, 'transfers is append-only'); END;
CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers BEGIN SELECT raise(ABORT, 'transfers is append-only'); END;
CREATE TRIGGER prices_no_update BEFORE UPDATE ON prices WHEN NEW.revision = OLD.revision BEGIN SELECT raise(ABORT, 'prices is append-only'); END;
CREATE TRIGGER prices_no_delete BEFORE DELETE ON prices BEGIN SELECT raise(ABORT, 'prices is append-only'); END;
CREATE TRIGGER markups_no_update BEFORE UPDATE ON markups WHEN NEW.revision = OLD.revision BEGIN SELECT raise(ABORT, 'markups is append-only'); END;
CREATE TRIGGER markups_no_delete BEFORE DELETE ON markups BEGIN SELECT raise(ABORT, 'markups is append-only'); END;
