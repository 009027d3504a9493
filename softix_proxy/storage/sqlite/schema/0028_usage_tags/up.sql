ALTER TABLE keys ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE keys ADD COLUMN end_users INTEGER NOT NULL DEFAULT 0 CHECK (end_users IN (0, 1));
ALTER TABLE intents ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE intents ADD COLUMN end_user TEXT NOT NULL DEFAULT '';
CREATE TABLE usage_tags (
  usage_id INTEGER PRIMARY KEY,
  tags TEXT NOT NULL, -- 'env=prod team=search', in the order of the names
  end_user TEXT NOT NULL -- a keyed digest; '' where the key does not ask for it
) STRICT;

ALTER TABLE caps ADD COLUMN tag TEXT NOT NULL DEFAULT ''; -- of the requests that count; empty: all
ALTER TABLE caps ADD COLUMN end_users INTEGER NOT NULL DEFAULT 0 CHECK (end_users IN (0, 1)); -- 1: of each end user apart
DROP INDEX caps_by_subject;
CREATE UNIQUE INDEX caps_by_subject ON caps (user_id, coalesce(key_id, 0), models, tag, end_users, period);
CREATE TABLE cap_end_users (
  cap_id INTEGER NOT NULL REFERENCES caps (id) ON DELETE CASCADE,
  end_user TEXT NOT NULL,
  held_pico INTEGER NOT NULL DEFAULT 0 CHECK (held_pico >= 0),
  spent_at_us INTEGER NOT NULL DEFAULT 0,
  spent_pico INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (cap_id, end_user)
) STRICT, WITHOUT ROWID;
