CREATE TABLE webhook_endpoints (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  kinds TEXT NOT NULL, -- JSON; an empty list means all
  user_id INTEGER REFERENCES users (id), -- NULL: the whole instance
  status TEXT NOT NULL CHECK (status IN ('enabled', 'disabled', 'gone')),
  allow_private INTEGER NOT NULL CHECK (allow_private IN (0, 1)),
  sealed_secret BLOB NOT NULL,
  sealed_old_secret BLOB,
  old_secret_until_us INTEGER,
  failing_since_us INTEGER, -- a delivery was given up then, and none arrived since
  created_at_us INTEGER NOT NULL,
  CHECK ((sealed_old_secret IS NULL) = (old_secret_until_us IS NULL))
) STRICT;

CREATE TABLE webhook_events (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  user_id INTEGER REFERENCES users (id), -- NULL: it is about no organisation
  data TEXT NOT NULL, -- JSON
  once TEXT UNIQUE,
  at_us INTEGER NOT NULL
) STRICT;

CREATE TABLE webhook_deliveries (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  event_id INTEGER NOT NULL REFERENCES webhook_events (id) ON DELETE CASCADE,
  endpoint_id INTEGER NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  earlier_attempts INTEGER NOT NULL DEFAULT 0 CHECK (earlier_attempts BETWEEN 0 AND attempts),
  began_at_us INTEGER NOT NULL, -- when it was added or replayed
  next_at_us INTEGER NOT NULL, -- the next attempt, or the end of the lease of the running one
  status_code INTEGER,
  error TEXT, -- the class of the last failure
  ended_at_us INTEGER,
  CHECK ((state = 'waiting') = (ended_at_us IS NULL))
) STRICT;
CREATE UNIQUE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id, endpoint_id);
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (endpoint_id, next_at_us) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at_us) WHERE ended_at_us IS NOT NULL;
