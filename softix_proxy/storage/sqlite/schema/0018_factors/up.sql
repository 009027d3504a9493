CREATE TABLE totp_factors (
  account_id INTEGER PRIMARY KEY REFERENCES login_accounts (id) ON DELETE CASCADE,
  sealed_secret BLOB NOT NULL,
  last_step INTEGER NOT NULL CHECK (last_step >= 0),
  created_at_us INTEGER NOT NULL,
  used_at_us INTEGER
) STRICT;
CREATE TABLE passkeys (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  account_id INTEGER NOT NULL REFERENCES login_accounts (id) ON DELETE CASCADE,
  credential_id BLOB NOT NULL UNIQUE,
  public_key BLOB NOT NULL,
  sign_count INTEGER NOT NULL CHECK (sign_count >= 0),
  label TEXT NOT NULL,
  created_at_us INTEGER NOT NULL,
  used_at_us INTEGER
) STRICT;
CREATE INDEX passkeys_by_account ON passkeys (account_id);
CREATE TABLE recovery_codes (
  account_id INTEGER NOT NULL REFERENCES login_accounts (id) ON DELETE CASCADE,
  digest BLOB NOT NULL,
  created_at_us INTEGER NOT NULL,
  PRIMARY KEY (account_id, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE federated_identities (
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  account_id INTEGER NOT NULL REFERENCES login_accounts (id) ON DELETE CASCADE,
  created_at_us INTEGER NOT NULL,
  used_at_us INTEGER,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX federated_identities_by_account ON federated_identities (account_id);
CREATE TABLE ceremonies (
  kind TEXT NOT NULL,
  reference BLOB NOT NULL,
  browser BLOB NOT NULL,
  account_id INTEGER REFERENCES login_accounts (id) ON DELETE CASCADE,
  sealed BLOB NOT NULL,
  created_at_us INTEGER NOT NULL,
  expires_at_us INTEGER NOT NULL,
  PRIMARY KEY (kind, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX ceremonies_by_expiry ON ceremonies (expires_at_us);
