-- Corrections are usage rows, and what they change may be less than nothing. SQLite changes a CHECK by a new table.

CREATE TABLE new_usage (
  id INTEGER PRIMARY KEY,
  request_id INTEGER NOT NULL UNIQUE,
  usage_at_us INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  provider_id INTEGER NOT NULL,
  model_id INTEGER NOT NULL,
  model_served TEXT,
  endpoint TEXT NOT NULL,
  stream INTEGER NOT NULL,
  input_tokens INTEGER,
  cached_input_tokens INTEGER,
  cache_write_5m_tokens INTEGER,
  cache_write_1h_tokens INTEGER,
  audio_input_tokens INTEGER,
  image_input_tokens INTEGER,
  output_tokens INTEGER,
  reasoning_tokens INTEGER,
  audio_output_tokens INTEGER,
  image_output_tokens INTEGER,
  web_search_calls INTEGER,
  tool_calls INTEGER,
  audio_ms INTEGER,
  images INTEGER,
  requests INTEGER,
  service_tier TEXT,
  price_id INTEGER,
  markup_num INTEGER NOT NULL,
  markup_den INTEGER NOT NULL,
  cost_pico INTEGER NOT NULL,
  charge_pico INTEGER NOT NULL,
  hold_pico INTEGER NOT NULL,
  status_code INTEGER NOT NULL,
  error TEXT,
  latency_ms INTEGER NOT NULL,
  ttfb_ms INTEGER,
  attempts INTEGER NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('provider', 'partial', 'estimate', 'interrupted', 'none', 'correction')),
  note TEXT,
  corrects_row_id INTEGER,
  CHECK ((source = 'correction') = (corrects_row_id IS NOT NULL)),
  CHECK (corrects_row_id IS NOT NULL OR (cost_pico >= 0 AND charge_pico >= 0))
) STRICT;
INSERT INTO new_usage (id, request_id, usage_at_us, user_id, key_id, provider_id, model_id, model_served, endpoint, stream, input_tokens, cached_input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, audio_input_tokens, image_input_tokens, output_tokens, reasoning_tokens, audio_output_tokens, image_output_tokens, web_search_calls, tool_calls, audio_ms, images, requests, service_tier, price_id, markup_num, markup_den, cost_pico, charge_pico, hold_pico, status_code, error, latency_ms, ttfb_ms, attempts, source, note)
SELECT id, request_id, usage_at_us, user_id, key_id, provider_id, model_id, model_served, endpoint, stream, input_tokens, cached_input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, audio_input_tokens, image_input_tokens, output_tokens, reasoning_tokens, audio_output_tokens, image_output_tokens, web_search_calls, tool_calls, audio_ms, images, requests, service_tier, price_id, markup_num, markup_den, cost_pico, charge_pico, hold_pico, status_code, error, latency_ms, ttfb_ms, attempts, source, note FROM usage;
DROP TABLE usage;
ALTER TABLE new_usage RENAME TO usage;
CREATE INDEX usage_corrections ON usage (corrects_row_id) WHERE corrects_row_id IS NOT NULL;
CREATE TRIGGER usage_no_update BEFORE UPDATE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
CREATE TRIGGER usage_no_delete BEFORE DELETE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;

CREATE TABLE periods (
  id INTEGER PRIMARY KEY,
  label TEXT NOT NULL UNIQUE,
  zone TEXT NOT NULL,
  from_us INTEGER NOT NULL,
  to_us INTEGER NOT NULL,
  closed_at_us INTEGER NOT NULL,
  sums TEXT NOT NULL,
  rows_sha256 BLOB NOT NULL,
  CHECK (to_us > from_us AND closed_at_us >= to_us)
) STRICT;
CREATE UNIQUE INDEX periods_by_end ON periods (to_us);
CREATE TRIGGER periods_no_update BEFORE UPDATE ON periods BEGIN SELECT raise(ABORT, 'periods is append-only'); END;
CREATE TRIGGER periods_no_delete BEFORE DELETE ON periods BEGIN SELECT raise(ABORT, 'periods is append-only'); END;
CREATE TRIGGER periods_no_overlap BEFORE INSERT ON periods
WHEN EXISTS (SELECT 1 FROM periods WHERE from_us < NEW.to_us AND to_us > NEW.from_us)
BEGIN SELECT raise(ABORT, 'periods do not overlap'); END;

CREATE TABLE manifests (
  id INTEGER PRIMARY KEY,
  body_sha256 BLOB NOT NULL,
  head TEXT NOT NULL,
  signature BLOB NOT NULL
) STRICT;
CREATE INDEX manifests_by_body ON manifests (body_sha256);
CREATE TRIGGER manifests_no_gap BEFORE INSERT ON manifests
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM manifests)
BEGIN SELECT raise(ABORT, 'manifests are numbered without a gap'); END;
CREATE TRIGGER manifests_no_update BEFORE UPDATE ON manifests BEGIN SELECT raise(ABORT, 'manifests is append-only'); END;
CREATE TRIGGER manifests_no_delete BEFORE DELETE ON manifests BEGIN SELECT raise(ABORT, 'manifests is append-only'); END;
