CREATE TABLE payments (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users (id),
  account_id INTEGER, -- of the person who pays; NULL for an automatic payment
  kind TEXT NOT NULL CHECK (kind IN ('checkout', 'automatic')),
  state TEXT NOT NULL CHECK (state IN ('open', 'processing', 'paid', 'failed', 'expired', 'refused')),
  asked_cents INTEGER NOT NULL CHECK (asked_cents > 0),
  asked_tax_cents INTEGER NOT NULL CHECK (asked_tax_cents >= 0),
  is_live INTEGER NOT NULL CHECK (is_live IN (0, 1)),
  session_id TEXT UNIQUE,
  intent_id TEXT UNIQUE,
  paid_cents INTEGER NOT NULL DEFAULT 0 CHECK (paid_cents >= 0),
  tax_cents INTEGER NOT NULL DEFAULT 0 CHECK (tax_cents >= 0 AND tax_cents <= paid_cents),
  refunded_cents INTEGER NOT NULL DEFAULT 0 CHECK (refunded_cents >= 0),
  disputed_cents INTEGER NOT NULL DEFAULT 0,
  held_cents INTEGER NOT NULL DEFAULT 0 CHECK (held_cents >= 0),
  credit_pico INTEGER NOT NULL DEFAULT 0,
  fetches INTEGER NOT NULL DEFAULT 0,
  posted_fetch INTEGER NOT NULL DEFAULT 0 CHECK (posted_fetch <= fetches),
  changed_fetch INTEGER NOT NULL DEFAULT 0 CHECK (changed_fetch <= posted_fetch),
  failure TEXT NOT NULL DEFAULT '',
  created_at_us INTEGER NOT NULL,
  changed_at_us INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX payments_by_user ON payments (user_id, id);
CREATE INDEX payments_unfinished ON payments (id) WHERE state IN ('open', 'processing');
CREATE UNIQUE INDEX payments_one_automatic ON payments (user_id)
WHERE kind = 'automatic' AND state IN ('open', 'processing');

CREATE TABLE payment_postings (
  transfer_id INTEGER PRIMARY KEY,
  payment_id INTEGER NOT NULL REFERENCES payments (id),
  cause TEXT NOT NULL CHECK (cause IN ('payment', 'refund', 'dispute', 'hold')),
  amount_pico INTEGER NOT NULL CHECK (amount_pico <> 0),
  gross_cents INTEGER NOT NULL,
  fetch INTEGER NOT NULL
) STRICT;
CREATE INDEX payment_postings_by_payment ON payment_postings (payment_id);
CREATE TRIGGER payment_postings_no_update BEFORE UPDATE ON payment_postings BEGIN SELECT raise(ABORT, 'payment_postings is append-only'); END;
CREATE TRIGGER payment_postings_no_delete BEFORE DELETE ON payment_postings BEGIN SELECT raise(ABORT, 'payment_postings is append-only'); END;

CREATE TABLE refund_requests (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  payment_id INTEGER NOT NULL REFERENCES payments (id),
  account_id INTEGER, -- of the person who asked; NULL for an operator
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  state TEXT NOT NULL CHECK (state IN ('requested', 'approved', 'refunded', 'refused', 'failed')),
  refund_id TEXT UNIQUE,
  created_at_us INTEGER NOT NULL,
  answered_at_us INTEGER
) STRICT;
CREATE INDEX refund_requests_by_payment ON refund_requests (payment_id);

CREATE TABLE stripe_events (
  id TEXT PRIMARY KEY,
  payment_id INTEGER REFERENCES payments (id), -- NULL: of nobody here
  seen_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX stripe_events_by_time ON stripe_events (seen_at_us);

CREATE TABLE stripe_customers (
  user_id INTEGER NOT NULL REFERENCES users (id),
  is_live INTEGER NOT NULL CHECK (is_live IN (0, 1)),
  claim TEXT NOT NULL UNIQUE,
  customer_id TEXT UNIQUE, -- NULL until it is made
  claimed_at_us INTEGER NOT NULL,
  PRIMARY KEY (user_id, is_live)
) STRICT, WITHOUT ROWID;

CREATE TABLE auto_top_ups (
  user_id INTEGER PRIMARY KEY REFERENCES users (id),
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  threshold_cents INTEGER NOT NULL CHECK (threshold_cents >= 0),
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  monthly_cap_cents INTEGER NOT NULL CHECK (monthly_cap_cents >= amount_cents),
  failures INTEGER NOT NULL CHECK (failures >= 0),
  next_at_us INTEGER NOT NULL,
  paused_at_us INTEGER
) STRICT;

-- Credit notes for refunds and disputes name their transfer, and have no amounts of a period. SQLite changes a CHECK by
-- a new table.

CREATE TABLE new_bills (
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
  about_id INTEGER REFERENCES new_bills (id),
  cancels INTEGER NOT NULL CHECK (cancels IN (0, 1)),
  transfer_id INTEGER UNIQUE,
  exact_pico INTEGER,
  carried_pico INTEGER,
  issued_at_us INTEGER NOT NULL,
  document TEXT NOT NULL,
  UNIQUE (series, sequence),
  CHECK (kind <> 'receipt' OR transfer_id IS NOT NULL),
  CHECK (transfer_id IS NULL OR kind = 'receipt' OR (kind = 'credit-note' AND about_id IS NOT NULL AND cancels = 0)),
  CHECK ((transfer_id IS NOT NULL) = (exact_pico IS NULL) AND (exact_pico IS NULL) = (carried_pico IS NULL)),
  CHECK (covers = 0 OR to_us > from_us),
  CHECK (cancels = 0 OR (kind = 'credit-note' AND about_id IS NOT NULL AND covers = 0))
) STRICT;
INSERT INTO new_bills (id, series, sequence, number, kind, user_id, period, from_us, to_us, covers, about_id, cancels, transfer_id, exact_pico, carried_pico, issued_at_us, document)
SELECT id, series, sequence, number, kind, user_id, period, from_us, to_us, covers, about_id, cancels, transfer_id, exact_pico, carried_pico, issued_at_us, document FROM bills ORDER BY id;
DROP TABLE bills;
ALTER TABLE new_bills RENAME TO bills;
CREATE INDEX bills_by_user ON bills (user_id, id);
CREATE UNIQUE INDEX bills_cancelled_once ON bills (about_id) WHERE cancels = 1;
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
