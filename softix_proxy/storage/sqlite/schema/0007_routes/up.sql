ALTER TABLE users ADD COLUMN regions TEXT NOT NULL DEFAULT '[]';
ALTER TABLE keys ADD COLUMN regions TEXT NOT NULL DEFAULT '[]';
ALTER TABLE providers ADD COLUMN region TEXT;
ALTER TABLE providers ADD COLUMN key_weight INTEGER NOT NULL DEFAULT 1 CHECK (key_weight > 0);

CREATE TABLE provider_keys (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  provider_id INTEGER NOT NULL REFERENCES providers (id),
  label TEXT NOT NULL,
  sealed_key BLOB NOT NULL,
  weight INTEGER NOT NULL CHECK (weight > 0),
  UNIQUE (provider_id, label)
) STRICT;

CREATE TABLE routes (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  legs TEXT NOT NULL,
  retries INTEGER NOT NULL CHECK (retries >= 0),
  sticky INTEGER NOT NULL CHECK (sticky IN (0, 1)),
  connect_ms INTEGER CHECK (connect_ms > 0),
  first_byte_ms INTEGER CHECK (first_byte_ms > 0),
  idle_ms INTEGER CHECK (idle_ms > 0),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled', 'removed')),
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX routes_by_revision ON routes (revision);
CREATE TRIGGER routes_insert AFTER INSERT ON routes BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE routes SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER routes_update AFTER UPDATE ON routes WHEN NEW.revision = OLD.revision BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE routes SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;

CREATE TABLE attempts (
  usage_id INTEGER NOT NULL,
  sequence INTEGER NOT NULL CHECK (sequence > 0),
  request_id INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  provider_id INTEGER NOT NULL,
  model_id INTEGER NOT NULL,
  status_code INTEGER NOT NULL,
  error TEXT,
  latency_ms INTEGER NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('provider', 'partial', 'estimate', 'interrupted', 'none')),
  meters TEXT NOT NULL,
  service_tier TEXT,
  price_id INTEGER,
  markup_num INTEGER NOT NULL,
  markup_den INTEGER NOT NULL CHECK (markup_den > 0),
  bound_pico INTEGER NOT NULL CHECK (bound_pico >= 0),
  cost_pico INTEGER NOT NULL CHECK (cost_pico >= 0),
  charge_pico INTEGER NOT NULL CHECK (charge_pico >= 0),
  PRIMARY KEY (usage_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER attempts_no_update BEFORE UPDATE ON attempts BEGIN SELECT raise(ABORT, 'attempts is append-only'); END;
CREATE TRIGGER attempts_no_delete BEFORE DELETE ON attempts BEGIN SELECT raise(ABORT, 'attempts is append-only'); END;

CREATE TABLE target_health (
  slot INTEGER NOT NULL,
  model_id INTEGER NOT NULL REFERENCES models (id),
  reported_at_us INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (slot, model_id)
) STRICT, WITHOUT ROWID;
