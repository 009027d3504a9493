CREATE TABLE technical_addresses (
  key_id INTEGER NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
  day INTEGER NOT NULL,
  address TEXT NOT NULL, -- '' counts all that are beyond the bound
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  PRIMARY KEY (key_id, day, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX technical_addresses_by_day ON technical_addresses (day);

CREATE TABLE technical_agents (
  key_id INTEGER NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
  day INTEGER NOT NULL,
  family TEXT NOT NULL, -- '' counts all that are beyond the bound
  version TEXT NOT NULL,
  device TEXT NOT NULL,
  tls TEXT NOT NULL,
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  PRIMARY KEY (key_id, day, family, version, device, tls)
) STRICT, WITHOUT ROWID;
CREATE INDEX technical_agents_by_day ON technical_agents (day);

CREATE TABLE technical_guesses (
  day INTEGER NOT NULL,
  network TEXT NOT NULL, -- '' counts all that are beyond the bound
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  slowed INTEGER NOT NULL,
  PRIMARY KEY (day, network)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_origins (
  entry_id INTEGER PRIMARY KEY, -- of `audit`, which knows nothing of this row
  at_us INTEGER NOT NULL,
  actor TEXT NOT NULL, -- or whom it is about, if nobody has signed in
  address TEXT NOT NULL,
  family TEXT NOT NULL,
  version TEXT NOT NULL,
  device TEXT NOT NULL,
  tls TEXT NOT NULL
) STRICT;
CREATE INDEX audit_origins_by_time ON audit_origins (at_us);
CREATE INDEX audit_origins_by_actor ON audit_origins (actor);

ALTER TABLE security_events ADD COLUMN version TEXT NOT NULL DEFAULT '';
ALTER TABLE security_events ADD COLUMN tls TEXT NOT NULL DEFAULT '';

CREATE TABLE purges (
  id INTEGER PRIMARY KEY,
  at_us INTEGER NOT NULL,
  kind TEXT NOT NULL, -- 'technical-data'
  subject TEXT NOT NULL, -- the public id of a key, a user or an account; '' for all
  removed INTEGER NOT NULL -- rows
) STRICT;
