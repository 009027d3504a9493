CREATE TABLE repeatable_calls (
  actor TEXT NOT NULL, -- the public id of the admin token
  key_digest BLOB NOT NULL,
  operation TEXT NOT NULL,
  request_digest BLOB NOT NULL,
  call_id TEXT NOT NULL,
  at_us INTEGER NOT NULL,
  answer BLOB, -- sealed
  PRIMARY KEY (actor, key_digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX repeatable_calls_by_time ON repeatable_calls (at_us);
