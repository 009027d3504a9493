CREATE TABLE widened_bounds (
  id INTEGER PRIMARY KEY,
  model_id INTEGER NOT NULL,
  member TEXT NOT NULL,
  excess_pico INTEGER NOT NULL CHECK (excess_pico >= 0),
  factor_permille INTEGER NOT NULL CHECK (factor_permille >= 1000),
  dearest_pico INTEGER NOT NULL CHECK (dearest_pico >= 0),
  times INTEGER NOT NULL CHECK (times > 0),
  missing_pico INTEGER NOT NULL CHECK (missing_pico >= 0),
  uncharged_pico INTEGER NOT NULL CHECK (uncharged_pico >= 0),
  first_at_us INTEGER NOT NULL,
  last_at_us INTEGER NOT NULL,
  last_request_id INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  UNIQUE (model_id, member)
) STRICT;
CREATE INDEX widened_bounds_by_revision ON widened_bounds (revision);
CREATE TRIGGER widened_bounds_insert AFTER INSERT ON widened_bounds BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE widened_bounds SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER widened_bounds_update AFTER UPDATE ON widened_bounds
WHEN NEW.excess_pico <> OLD.excess_pico OR NEW.factor_permille <> OLD.factor_permille
  OR NEW.dearest_pico <> OLD.dearest_pico BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE widened_bounds SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
ALTER TABLE intents ADD COLUMN widened_pico INTEGER CHECK (widened_pico > 0);
