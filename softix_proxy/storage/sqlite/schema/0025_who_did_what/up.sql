ALTER TABLE audit ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE audit ADD COLUMN actor_kind TEXT NOT NULL DEFAULT 'account';
ALTER TABLE audit ADD COLUMN channel TEXT NOT NULL DEFAULT 'portal';
ALTER TABLE audit ADD COLUMN outcome TEXT NOT NULL DEFAULT 'done';
ALTER TABLE audit ADD COLUMN changes TEXT NOT NULL DEFAULT '[]';

-- The role of an account is a name of the configuration too, so the schema does not list the roles any more.
ALTER TABLE login_accounts RENAME COLUMN role TO listed_role;
ALTER TABLE login_accounts ADD COLUMN role TEXT NOT NULL DEFAULT 'user';
UPDATE login_accounts SET role = listed_role;
ALTER TABLE login_accounts DROP COLUMN listed_role;

CREATE TABLE admin_tokens (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  label TEXT NOT NULL,
  prefix TEXT NOT NULL,
  digest BLOB NOT NULL UNIQUE,
  role TEXT NOT NULL,
  created_at_us INTEGER NOT NULL,
  expires_at_us INTEGER,
  revoked_at_us INTEGER,
  used_at_us INTEGER -- the begin of the day of its last use
) STRICT;
