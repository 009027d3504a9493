CREATE TABLE former_members (
  account_id INTEGER NOT NULL REFERENCES login_accounts (id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users (id),
  PRIMARY KEY (account_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO former_members (account_id, user_id)
SELECT security_events.account_id, users.id
FROM security_events JOIN users ON users.public_id = security_events.subject
WHERE security_events.kind = 'member_removed' AND security_events.account_id IS NOT NULL;
