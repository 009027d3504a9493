CREATE TABLE price_proposals (
  id INTEGER PRIMARY KEY,
  model_id INTEGER NOT NULL REFERENCES models (id),
  user_id INTEGER REFERENCES users (id),
  source TEXT NOT NULL CHECK (source IN ('catalogue', 'operator', 'customer')),
  sheet TEXT NOT NULL,
  starts_at_us INTEGER,
  created_at_us INTEGER NOT NULL,
  CHECK ((source = 'customer') = (user_id IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX price_proposals_by_subject ON price_proposals (model_id, coalesce(user_id, 0), source);
