CREATE TABLE user_profiles (
  user_id INTEGER PRIMARY KEY REFERENCES users (id),
  display_name TEXT NOT NULL
) STRICT;
INSERT INTO user_profiles SELECT id, name FROM users WHERE instr(name, '@') OR name LIKE 'usr\_%' ESCAPE '\';
-- In two steps, because a user may be named like the id of another one.
UPDATE users SET name = char(1) || id WHERE id IN (SELECT user_id FROM user_profiles);
UPDATE users SET name = public_id WHERE id IN (SELECT user_id FROM user_profiles);
