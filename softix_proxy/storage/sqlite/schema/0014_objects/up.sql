CREATE TABLE object_accounts (
  id INTEGER PRIMARY KEY,
  provider_id INTEGER NOT NULL REFERENCES providers (id),
  provider_key TEXT NOT NULL, -- its label; '' where the provider needs none
  UNIQUE (provider_id, provider_key)
) STRICT;

CREATE TABLE objects (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES object_accounts (id),
  kind TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users (id),
  key_id INTEGER NOT NULL REFERENCES keys (id),
  batch_id INTEGER REFERENCES batches (id), -- of a file: whose results it has
  created_at_us INTEGER NOT NULL,
  UNIQUE (remote_id, kind, account_id)
) STRICT;
CREATE INDEX objects_by_user ON objects (user_id, kind, id);

CREATE TABLE object_items (
  remote_id TEXT NOT NULL,
  account_id INTEGER NOT NULL REFERENCES object_accounts (id),
  user_id INTEGER NOT NULL REFERENCES users (id),
  created_at_us INTEGER NOT NULL,
  PRIMARY KEY (remote_id, account_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE object_shares (
  id INTEGER PRIMARY KEY,
  remote_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  account_id INTEGER NOT NULL REFERENCES object_accounts (id),
  user_id INTEGER REFERENCES users (id), -- NULL: everybody
  created_at_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX object_shares_by_name ON object_shares (remote_id, kind, account_id, coalesce(user_id, 0));

INSERT INTO object_accounts (provider_id, provider_key)
SELECT provider_id, provider_key FROM files UNION SELECT provider_id, provider_key FROM batches ORDER BY 1, 2;

INSERT INTO objects (account_id, kind, remote_id, user_id, key_id, batch_id, created_at_us)
SELECT a.id, 'file', remote_id, user_id, key_id, batch_id, created_at_us
FROM files JOIN object_accounts AS a USING (provider_id, provider_key) ORDER BY files.id;

INSERT INTO objects (account_id, kind, remote_id, user_id, key_id, created_at_us)
SELECT a.id, 'batch', remote_id, user_id, key_id, created_at_us
FROM batches JOIN object_accounts AS a USING (provider_id, provider_key) ORDER BY batches.id;

DROP TABLE files;
