CREATE TABLE customers (user_id INTEGER PRIMARY KEY REFERENCES users (id), details TEXT NOT NULL) STRICT;

CREATE TABLE bills (
  id INTEGER PRIMARY KEY,
  series TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  number TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('invoice', 'statement', 'credit-note', 'receipt')),
  user_id INTEGER NOT NULL REFERENCES users (id),
  period TEXT NOT NULL,
  from_us INTEGER,
  to_us INTEGER,
  covers INTEGER NOT NULL CHECK (covers IN (0, 1)),
  about_id INTEGER REFERENCES bills (id),
  cancels INTEGER NOT NULL CHECK (cancels IN (0, 1)),
  transfer_id INTEGER UNIQUE,
  exact_pico INTEGER,
  carried_pico INTEGER,
  issued_at_us INTEGER NOT NULL,
  document TEXT NOT NULL,
  UNIQUE (series, sequence),
  CHECK ((kind = 'receipt') = (transfer_id IS NOT NULL)),
  CHECK ((kind = 'receipt') = (exact_pico IS NULL) AND (exact_pico IS NULL) = (carried_pico IS NULL)),
  CHECK (covers = 0 OR to_us > from_us),
  CHECK (cancels = 0 OR (kind = 'credit-note' AND about_id IS NOT NULL AND covers = 0))
) STRICT;
CREATE INDEX bills_by_user ON bills (user_id, id);
CREATE UNIQUE INDEX bills_cancelled_once ON bills (about_id) WHERE cancels = 1;

-- What is issued stays as it is.

CREATE TRIGGER bills_no_update BEFORE UPDATE ON bills BEGIN SELECT raise(ABORT, 'bills is append-only'); END;
CREATE TRIGGER bills_no_delete BEFORE DELETE ON bills BEGIN SELECT raise(ABORT, 'bills is append-only'); END;
CREATE TRIGGER bills_no_gap BEFORE INSERT ON bills
WHEN NEW.sequence <> 1 + coalesce((SELECT max(sequence) FROM bills WHERE series = NEW.series), 0)
BEGIN SELECT raise(ABORT, 'numbers have no gaps'); END;
CREATE TRIGGER bills_once BEFORE INSERT ON bills
WHEN NEW.covers = 1 AND EXISTS (
  SELECT 1 FROM bills AS old
  WHERE old.user_id = NEW.user_id AND old.covers = 1 AND old.from_us < NEW.to_us AND old.to_us > NEW.from_us
    AND NOT EXISTS (SELECT 1 FROM bills AS credit WHERE credit.about_id = old.id AND credit.cancels = 1)
)
BEGIN SELECT raise(ABORT, 'that time has a document'); END;
