CREATE TABLE login_accounts (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL,
  folded_email TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL,
  role TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'support', 'billing', 'auditor', 'admin')),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  password_hash TEXT,
  locale TEXT NOT NULL DEFAULT 'en',
  created_at_us INTEGER NOT NULL,
  verified_at_us INTEGER,
  age_attested_at_us INTEGER
) STRICT;

CREATE TABLE policy_acceptances (
  account_id INTEGER NOT NULL REFERENCES login_accounts (id) ON DELETE CASCADE,
  policy TEXT NOT NULL,
  version TEXT NOT NULL,
  accepted_at_us INTEGER NOT NULL,
  PRIMARY KEY (account_id, policy, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
  account_id INTEGER NOT NULL REFERENCES login_accounts (id),
  user_id INTEGER NOT NULL REFERENCES users (id),
  role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'member', 'viewer')),
  created_at_us INTEGER NOT NULL,
  PRIMARY KEY (account_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user_id, account_id);

CREATE TABLE account_tokens (
  digest BLOB PRIMARY KEY,
  purpose TEXT NOT NULL,
  account_id INTEGER REFERENCES login_accounts (id) ON DELETE CASCADE, -- NULL: an invitation of somebody who has none yet
  email TEXT NOT NULL, -- that it was sent to
  invitation_id INTEGER,
  created_at_us INTEGER NOT NULL,
  expires_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_tokens_by_account ON account_tokens (account_id, purpose);

CREATE TABLE sessions (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  account_id INTEGER NOT NULL REFERENCES login_accounts (id) ON DELETE CASCADE,
  digest BLOB NOT NULL UNIQUE,
  method TEXT NOT NULL CHECK (method IN ('password', 'passkey', 'oidc', 'link')),
  second_factor INTEGER NOT NULL CHECK (second_factor IN (0, 1)),
  is_pending INTEGER NOT NULL CHECK (is_pending IN (0, 1)),
  device TEXT NOT NULL,
  created_at_us INTEGER NOT NULL,
  seen_at_us INTEGER NOT NULL,
  reauthenticated_at_us INTEGER NOT NULL,
  idle_ends_at_us INTEGER NOT NULL,
  ends_at_us INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_account ON sessions (account_id);

CREATE TABLE throttles (
  rule TEXT NOT NULL,
  subject TEXT NOT NULL, -- an id or a digest, and no address
  tat_us INTEGER NOT NULL,
  PRIMARY KEY (rule, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE security_events (
  id INTEGER PRIMARY KEY,
  at_us INTEGER NOT NULL,
  account_id INTEGER REFERENCES login_accounts (id) ON DELETE CASCADE, -- NULL: an address that is nobody's
  kind TEXT NOT NULL,
  address TEXT NOT NULL,
  device TEXT NOT NULL,
  subject TEXT NOT NULL
) STRICT;
CREATE INDEX security_events_by_account ON security_events (account_id, id);
CREATE INDEX security_events_by_time ON security_events (at_us);
