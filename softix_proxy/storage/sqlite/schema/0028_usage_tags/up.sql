ALTER TABLE keys ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE keys ADD COLUMN end_users INTEGER NOT NULL DEFAULT 0 CHECK (end_users IN (0, 1));
ALTER TABLE intents ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE intents ADD COLUMN end_user TEXT NOT NULL DEFAULT '';
CREATE TABLE usage_tags (
  usage_id INTEGER PRIMARY KEY,
  tags TEXT NOT NULL, -- 'env=prod team=search', in the order of the names
  end_user TEXT NOT NULL -- a keyed digest; '' where the key does not ask for it
) STRICT;
