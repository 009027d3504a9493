PRAGMA application_id = 5306140;
PRAGMA user_version = 4;
CREATE TABLE instance (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE directory_revision (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL) STRICT;
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
CREATE TABLE accounts (id INTEGER PRIMARY KEY CHECK (id < 0), name TEXT NOT NULL UNIQUE) STRICT;
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
CREATE TABLE price_proposals (
  id INTEGER PRIMARY KEY,
  model_id INTEGER NOT NULL REFERENCES models (id),
  user_id INTEGER REFERENCES users (id),
  source TEXT NOT NULL CHECK (source IN ('catalogue', 'operator', 'customer')),
  sheet TEXT NOT NULL,
  starts_at_us INTEGER,
  created_at_us INTEGER NOT NULL,
  CHECK ((source = 'customer') = (user_id IS NOT NULL))
) STRICT;
CREATE TABLE "usage" (
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
  cost_pico INTEGER NOT NULL,
  charge_pico INTEGER NOT NULL,
  hold_pico INTEGER NOT NULL,
  status_code INTEGER NOT NULL,
  error TEXT,
  latency_ms INTEGER NOT NULL,
  ttfb_ms INTEGER,
  attempts INTEGER NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('provider', 'partial', 'estimate', 'interrupted', 'none', 'correction')),
  note TEXT,
  corrects_row_id INTEGER, cached_audio_input_tokens INTEGER, cached_image_input_tokens INTEGER, search_units INTEGER, characters INTEGER,
  CHECK ((source = 'correction') = (corrects_row_id IS NOT NULL)),
  CHECK (corrects_row_id IS NOT NULL OR (cost_pico >= 0 AND charge_pico >= 0))
) STRICT;
CREATE TABLE periods (
  id INTEGER PRIMARY KEY,
  label TEXT NOT NULL UNIQUE,
  zone TEXT NOT NULL,
  from_us INTEGER NOT NULL,
  to_us INTEGER NOT NULL,
  closed_at_us INTEGER NOT NULL,
  sums TEXT NOT NULL,
  rows_sha256 BLOB NOT NULL,
  CHECK (to_us > from_us AND closed_at_us >= to_us)
) STRICT;
CREATE TABLE manifests (
  id INTEGER PRIMARY KEY,
  body_sha256 BLOB NOT NULL,
  head TEXT NOT NULL,
  signature BLOB NOT NULL
) STRICT;
INSERT INTO instance VALUES ('master_key_check', X'A76F3A847C0BF6B0583026E2DB3924E166FB49F70BDFB0101EA75A0CB26ADDD2');
INSERT INTO instance VALUES ('master_key_id', X'62383934373664326434356237616232');
INSERT INTO instance VALUES ('sealed_pepper', X'01B89476D2D45B7AB2FAB9427EDD90662B52CE79A9E69C4DB7DBD36A2A36810D3424175DE46EB626BE51AF52D30D5563D1271594AAB8C9EB5CFBB1F2902C60EAC03B1F169B6CE913B84734802C3681289CD7BACC2F59DE8304624BBEED8774081113A3F5E696DE516825E966B76CA8FF6B8206863F58EC464322FE40EBF67EC760');
INSERT INTO directory_revision VALUES (1, 14);
INSERT INTO users VALUES (1, 'usr_61htpfez5jv2ynr6', 'ada', 'ada@example.org', 'user', 'active', 0, NULL, 1795648038435164, 5);
INSERT INTO users VALUES (2, 'usr_wqrm3zzmqggy441m', 'demo', 'demo@localhost', 'user', 'active', 0, NULL, 1795648038464307, 13);
INSERT INTO keys VALUES (1, 'key_rr4pkc06tmbyj1r4', 1, 'ci', 'sx_live_N88H', X'157890C88704E98182CC939856A13BFF752780D1646AFE533EA767BEC534C4DB', '["m*"]', '[]', 60, NULL, NULL, 1000000000000, 'total', 'active', NULL, NULL, 1795648038455961, 6);
INSERT INTO keys VALUES (2, 'key_hc3cf99mdrf0mh2z', 2, 'quickstart', 'sx_live_l47T', X'437E9F170947B1AC747771A7274AC9FB12A2D912639091982EBC2F9023E48C0B', '[]', '[]', NULL, NULL, NULL, NULL, 'total', 'active', NULL, NULL, 1795648038471408, 14);
INSERT INTO providers VALUES (1, 'prv_3kp08dzrkh6h66zq', 'lab', 'openai-compatible', 'http://127.0.0.1:9', X'01B89476D2D45B7AB20EB51CA7D9BA3AEFB8336775D60B5FEF191E900A2E035DD316F5A720BD114D16227AE095FF569FDC2A62E67D368258192C94D502E89007401BC76F9E49DBB99BA1D2A6C855FEB4C087EF357F3B77F2B3420950D47FC69F4990D810FC1C59', 'cancel', 'active', 1795648038410172, 2);
INSERT INTO providers VALUES (2, 'prv_y7a958mq4s03yw1c', 'demo', 'demo', '', NULL, 'cancel', 'active', 1795648038460057, 8);
INSERT INTO models VALUES (1, 'm', 1, 'm', 1000, 100, 'active', 1795648038426015, 3);
INSERT INTO models VALUES (2, 'demo-small', 2, 'demo-small', 32768, 4096, 'active', 1795648038460057, 9);
INSERT INTO models VALUES (3, 'demo-large', 2, 'demo-large', 32768, 4096, 'active', 1795648038460057, 10);
INSERT INTO prices VALUES (1, 1, NULL, 'operator', '{"bands":[{"above_input_tokens":0,"service_tier":"standard","prices":{"input":"1.00","output":"2.00"}}]}', 1795648038426015, 1795648038426015, 4);
INSERT INTO prices VALUES (2, 2, NULL, 'catalogue', '{"bands":[{"above_input_tokens":0,"service_tier":"standard","prices":{"input":"0.50","output":"2.00"}}]}', 1795648038460057, 1795648038460057, 11);
INSERT INTO prices VALUES (3, 3, NULL, 'catalogue', '{"bands":[{"above_input_tokens":0,"service_tier":"standard","prices":{"input":"2.50","output":"10.00"}}]}', 1795648038460057, 1795648038460057, 12);
INSERT INTO markups VALUES (1, 'default', NULL, 43, 40, 1795648038458287, 1795648038458287, 7);
INSERT INTO accounts VALUES (-3, 'adjustments');
INSERT INTO accounts VALUES (-2, 'revenue');
INSERT INTO accounts VALUES (-1, 'cash');
INSERT INTO wallets VALUES (1, 20000000000000, 0, 0);
INSERT INTO wallets VALUES (2, 4999893575000, 0, 0);
INSERT INTO transfers VALUES (1795648038451077, -1, 1, 25000000000000, 'top-up', 'pay-1', 'invoice 1');
INSERT INTO transfers VALUES (1795648038453438, 1, -3, 5000000000000, 'adjustment', NULL, 'goodwill');
INSERT INTO transfers VALUES (1795648038468351, -1, 2, 5000000000000, 'top-up', 'quickstart', 'for a first look');
INSERT INTO transfers VALUES (1795648039497865, 2, -2, 53212500, 'charge', NULL, NULL);
INSERT INTO transfers VALUES (1795648040022539, 2, -2, 53212500, 'charge', NULL, NULL);
INSERT INTO key_states VALUES (2, 0, 0, 0, 0, 1795648040022539, 106425000, 106425000, 106425000, 106425000);
INSERT INTO usage_daily VALUES (20782, 2, 2, 2, 2, 2, 0, 6, 48, 99000000, 106425000);
INSERT INTO usage VALUES (1795648039497865, 251483920523067392, 1795648038998898, 2, 2, 2, 2, 'demo-small', 'chat_completions', 0, 3, NULL, NULL, NULL, NULL, NULL, 24, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'standard', 2, 43, 40, 49500000, 53212500, 652525019, 200, NULL, 493, 493, 1, 'provider', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO usage VALUES (1795648040022539, 251483922674745344, 1795648039511514, 2, 2, 2, 2, 'demo-small', 'messages', 1, 3, NULL, NULL, NULL, NULL, NULL, 24, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'standard', 2, 43, 40, 49500000, 53212500, 661125019, 200, NULL, 510, 4, 1, 'provider', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO periods VALUES (1, 'all', 'UTC', 1767225600000000, 1795648040053247, 1795648040056921, '[{"user_id":1,"currency":"USD","rows":0,"cost_pico":0,"charge_pico":0,"paid_in_pico":20000000000000},{"user_id":2,"currency":"USD","rows":2,"cost_pico":99000000,"charge_pico":106425000,"paid_in_pico":5000000000000}]', X'3491545A9E85A5A8E1602E9E899492DA0F7EAF27A934F27F851E348730873B89');
CREATE INDEX keys_by_user ON keys (user_id);
CREATE INDEX prices_by_model ON prices (model_id);
CREATE UNIQUE INDEX transfers_by_reference ON transfers (reference) WHERE reference IS NOT NULL;
CREATE INDEX transfers_other_than_charges ON transfers (kind, id) WHERE kind <> 'charge';
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
CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers BEGIN SELECT raise(ABORT, 'transfers is append-only'); END;
CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers BEGIN SELECT raise(ABORT, 'transfers is append-only'); END;
CREATE TRIGGER prices_no_update BEFORE UPDATE ON prices WHEN NEW.revision = OLD.revision BEGIN SELECT raise(ABORT, 'prices is append-only'); END;
CREATE TRIGGER prices_no_delete BEFORE DELETE ON prices BEGIN SELECT raise(ABORT, 'prices is append-only'); END;
CREATE TRIGGER markups_no_update BEFORE UPDATE ON markups WHEN NEW.revision = OLD.revision BEGIN SELECT raise(ABORT, 'markups is append-only'); END;
CREATE TRIGGER markups_no_delete BEFORE DELETE ON markups BEGIN SELECT raise(ABORT, 'markups is append-only'); END;
CREATE UNIQUE INDEX price_proposals_by_subject ON price_proposals (model_id, coalesce(user_id, 0), source);
CREATE INDEX usage_corrections ON usage (corrects_row_id) WHERE corrects_row_id IS NOT NULL;
CREATE TRIGGER usage_no_update BEFORE UPDATE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
CREATE TRIGGER usage_no_delete BEFORE DELETE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
CREATE UNIQUE INDEX periods_by_end ON periods (to_us);
CREATE TRIGGER periods_no_update BEFORE UPDATE ON periods BEGIN SELECT raise(ABORT, 'periods is append-only'); END;
CREATE TRIGGER periods_no_delete BEFORE DELETE ON periods BEGIN SELECT raise(ABORT, 'periods is append-only'); END;
CREATE TRIGGER periods_no_overlap BEFORE INSERT ON periods
WHEN EXISTS (SELECT 1 FROM periods WHERE from_us < NEW.to_us AND to_us > NEW.from_us)
BEGIN SELECT raise(ABORT, 'periods do not overlap'); END;
CREATE INDEX manifests_by_body ON manifests (body_sha256);
CREATE TRIGGER manifests_no_gap BEFORE INSERT ON manifests
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM manifests)
BEGIN SELECT raise(ABORT, 'manifests are numbered without a gap'); END;
CREATE TRIGGER manifests_no_update BEFORE UPDATE ON manifests BEGIN SELECT raise(ABORT, 'manifests is append-only'); END;
CREATE TRIGGER manifests_no_delete BEFORE DELETE ON manifests BEGIN SELECT raise(ABORT, 'manifests is append-only'); END;
