CREATE TABLE batches (
  id INTEGER PRIMARY KEY, -- of the request that made it
  family TEXT NOT NULL CHECK (family IN ('openai', 'anthropic')),
  provider_id INTEGER NOT NULL REFERENCES providers (id),
  provider_key TEXT NOT NULL, -- its label; '' where the provider needs none
  user_id INTEGER NOT NULL REFERENCES users (id),
  key_id INTEGER NOT NULL REFERENCES keys (id),
  remote_id TEXT NOT NULL,
  requests INTEGER NOT NULL CHECK (requests > 0),
  created_at_us INTEGER NOT NULL,
  metered_at_us INTEGER,
  UNIQUE (provider_id, remote_id)
) STRICT;
CREATE INDEX batches_by_user ON batches (user_id, id);
CREATE INDEX batches_open ON batches (id) WHERE metered_at_us IS NULL;

CREATE TABLE batch_lines (
  batch_id INTEGER NOT NULL REFERENCES batches (id),
  custom_id TEXT NOT NULL, -- a digest: what a client calls it is not ours to keep
  request_id INTEGER NOT NULL UNIQUE, -- of its intent, whose slot is -1: no process owns it
  PRIMARY KEY (batch_id, custom_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE files (
  id INTEGER PRIMARY KEY,
  provider_id INTEGER NOT NULL REFERENCES providers (id),
  provider_key TEXT NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users (id),
  key_id INTEGER NOT NULL REFERENCES keys (id),
  remote_id TEXT NOT NULL,
  batch_id INTEGER REFERENCES batches (id), -- whose results it has
  created_at_us INTEGER NOT NULL,
  UNIQUE (provider_id, remote_id)
) STRICT;
CREATE INDEX files_by_user ON files (user_id, id);
