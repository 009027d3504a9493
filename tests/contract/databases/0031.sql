PRAGMA application_id = 5306140;
PRAGMA user_version = 31;
CREATE TABLE instance (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE directory_revision (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL) STRICT;
CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL COLLATE NOCASE UNIQUE,
  email TEXT NOT NULL COLLATE NOCASE UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('user', 'support', 'billing', 'auditor', 'admin')),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  postpaid INTEGER NOT NULL DEFAULT 0 CHECK (postpaid IN (0, 1)),
  password_hash TEXT,
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0
, regions TEXT NOT NULL DEFAULT '[]') STRICT;
CREATE TABLE keys (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users (id),
  label TEXT NOT NULL DEFAULT '',
  prefix TEXT NOT NULL,
  digest BLOB NOT NULL UNIQUE,
  models TEXT NOT NULL DEFAULT '[]',
  allow_ip TEXT NOT NULL DEFAULT '[]',
  rpm INTEGER CHECK (rpm > 0),
  tpm INTEGER CHECK (tpm > 0),
  concurrency INTEGER CHECK (concurrency > 0),
  cap_pico INTEGER CHECK (cap_pico >= 0),
  cap_period TEXT NOT NULL DEFAULT 'total' CHECK (cap_period IN ('day', 'week', 'month', 'total')),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'revoked')),
  expires_at_us INTEGER,
  rotated_from INTEGER REFERENCES keys (id),
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0
, regions TEXT NOT NULL DEFAULT '[]', earlier_models TEXT NOT NULL DEFAULT '[]', unknown_members TEXT CHECK (unknown_members IN ('pass', 'strip', 'refuse')), model_rates TEXT NOT NULL DEFAULT '[]', tags TEXT NOT NULL DEFAULT '[]', end_users INTEGER NOT NULL DEFAULT 0 CHECK (end_users IN (0, 1))) STRICT;
CREATE TABLE providers (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  base_url TEXT NOT NULL,
  sealed_key BLOB,
  on_hang_up TEXT NOT NULL CHECK (on_hang_up IN ('cancel', 'drain')),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled', 'removed')),
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0
, region TEXT, key_weight INTEGER NOT NULL DEFAULT 1 CHECK (key_weight > 0), version_in_url INTEGER NOT NULL DEFAULT 0 CHECK (version_in_url IN (0, 1)), drop_fields TEXT NOT NULL DEFAULT '[]', unknown_members TEXT CHECK (unknown_members IN ('pass', 'strip', 'refuse')), model_patterns TEXT NOT NULL DEFAULT '[]') STRICT;
CREATE TABLE models (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  provider_id INTEGER NOT NULL REFERENCES providers (id),
  upstream_name TEXT NOT NULL,
  context_tokens INTEGER CHECK (context_tokens > 0),
  max_output_tokens INTEGER CHECK (max_output_tokens >= 0),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  UNIQUE (provider_id, name)
) STRICT;
CREATE TABLE prices (
  id INTEGER PRIMARY KEY,
  model_id INTEGER NOT NULL REFERENCES models (id),
  user_id INTEGER REFERENCES users (id),
  source TEXT NOT NULL CHECK (source IN ('catalogue', 'operator', 'customer')),
  sheet TEXT NOT NULL,
  starts_at_us INTEGER NOT NULL,
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  CHECK ((source = 'customer') = (user_id IS NOT NULL))
) STRICT;
CREATE TABLE markups (
  id INTEGER PRIMARY KEY,
  scope TEXT NOT NULL CHECK (scope IN ('default', 'user', 'model')),
  subject_id INTEGER,
  numerator INTEGER NOT NULL,
  denominator INTEGER NOT NULL CHECK (denominator > 0),
  starts_at_us INTEGER NOT NULL,
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0, fee_pico INTEGER NOT NULL DEFAULT 0 CHECK (fee_pico >= 0),
  CHECK ((scope = 'default') = (subject_id IS NULL))
) STRICT;
CREATE TABLE accounts (id INTEGER PRIMARY KEY CHECK (id < 0), name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE wallets (
  user_id INTEGER PRIMARY KEY REFERENCES users (id),
  posted_pico INTEGER NOT NULL DEFAULT 0,
  held_pico INTEGER NOT NULL DEFAULT 0 CHECK (held_pico >= 0),
  credit_pico INTEGER NOT NULL DEFAULT 0 CHECK (credit_pico >= 0)
) STRICT;
CREATE TABLE transfers (
  id INTEGER PRIMARY KEY,
  from_account INTEGER NOT NULL,
  to_account INTEGER NOT NULL,
  amount_pico INTEGER NOT NULL CHECK (amount_pico > 0),
  kind TEXT NOT NULL CHECK (kind IN ('top-up', 'adjustment', 'charge', 'correction')),
  reference TEXT,
  note TEXT,
  CHECK (from_account <> to_account)
) STRICT;
CREATE TABLE key_states (
  key_id INTEGER PRIMARY KEY REFERENCES keys (id),
  rpm_tat_us INTEGER NOT NULL DEFAULT 0,
  tpm_tat_us INTEGER NOT NULL DEFAULT 0,
  open_requests INTEGER NOT NULL DEFAULT 0 CHECK (open_requests >= 0),
  held_pico INTEGER NOT NULL DEFAULT 0 CHECK (held_pico >= 0),
  spent_at_us INTEGER NOT NULL DEFAULT 0,
  spent_day_pico INTEGER NOT NULL DEFAULT 0,
  spent_week_pico INTEGER NOT NULL DEFAULT 0,
  spent_month_pico INTEGER NOT NULL DEFAULT 0,
  spent_total_pico INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE intents (
  request_id INTEGER PRIMARY KEY,
  slot INTEGER NOT NULL, -- of the process that owns it; its lock file tells whether that lives
  user_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  provider_id INTEGER NOT NULL,
  model_id INTEGER NOT NULL,
  price_id INTEGER,
  endpoint TEXT NOT NULL,
  stream INTEGER NOT NULL,
  hold_pico INTEGER NOT NULL CHECK (hold_pico >= 0),
  started_at_us INTEGER NOT NULL
, widened_pico INTEGER CHECK (widened_pico > 0), cap_ids TEXT, tags TEXT NOT NULL DEFAULT '', end_user TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE usage_daily (
  day INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  model_id INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  provider_id INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cost_pico INTEGER NOT NULL,
  charge_pico INTEGER NOT NULL,
  PRIMARY KEY (day, key_id, model_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE unpriced_asks (
  model_id INTEGER PRIMARY KEY REFERENCES models (id),
  asks INTEGER NOT NULL,
  last_asked_at_us INTEGER NOT NULL
) STRICT;
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
CREATE TABLE "usage" (
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
  corrects_row_id INTEGER, cached_audio_input_tokens INTEGER, cached_image_input_tokens INTEGER, search_units INTEGER, characters INTEGER, fee_pico INTEGER CHECK (fee_pico > 0), cost_price_id INTEGER CHECK (cost_price_id >= 0),
  CHECK ((source = 'correction') = (corrects_row_id IS NOT NULL)),
  CHECK (corrects_row_id IS NOT NULL OR (cost_pico >= 0 AND charge_pico >= 0))
) STRICT;
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
CREATE TABLE manifests (
  id INTEGER PRIMARY KEY,
  body_sha256 BLOB NOT NULL,
  head TEXT NOT NULL,
  signature BLOB NOT NULL
) STRICT;
CREATE TABLE customers (user_id INTEGER PRIMARY KEY REFERENCES users (id), details TEXT NOT NULL) STRICT;
CREATE TABLE provider_keys (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  provider_id INTEGER NOT NULL REFERENCES providers (id),
  label TEXT NOT NULL,
  sealed_key BLOB NOT NULL,
  weight INTEGER NOT NULL CHECK (weight > 0),
  UNIQUE (provider_id, label)
) STRICT;
CREATE TABLE routes (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  legs TEXT NOT NULL,
  retries INTEGER NOT NULL CHECK (retries >= 0),
  sticky INTEGER NOT NULL CHECK (sticky IN (0, 1)),
  connect_ms INTEGER CHECK (connect_ms > 0),
  first_byte_ms INTEGER CHECK (first_byte_ms > 0),
  idle_ms INTEGER CHECK (idle_ms > 0),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled', 'removed')),
  created_at_us INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE attempts (
  usage_id INTEGER NOT NULL,
  sequence INTEGER NOT NULL CHECK (sequence > 0),
  request_id INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  provider_id INTEGER NOT NULL,
  model_id INTEGER NOT NULL,
  status_code INTEGER NOT NULL,
  error TEXT,
  latency_ms INTEGER NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('provider', 'partial', 'estimate', 'interrupted', 'none')),
  meters TEXT NOT NULL,
  service_tier TEXT,
  price_id INTEGER,
  markup_num INTEGER NOT NULL,
  markup_den INTEGER NOT NULL CHECK (markup_den > 0),
  bound_pico INTEGER NOT NULL CHECK (bound_pico >= 0),
  cost_pico INTEGER NOT NULL CHECK (cost_pico >= 0),
  charge_pico INTEGER NOT NULL CHECK (charge_pico >= 0), cost_price_id INTEGER CHECK (cost_price_id >= 0),
  PRIMARY KEY (usage_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE target_health (
  slot INTEGER NOT NULL,
  model_id INTEGER NOT NULL REFERENCES models (id),
  reported_at_us INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (slot, model_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE batches (
  id INTEGER PRIMARY KEY, -- of the request that made it
  family TEXT NOT NULL CHECK (family IN ('openai', 'anthropic')),
  provider_id INTEGER NOT NULL REFERENCES providers (id),
  provider_key TEXT NOT NULL, -- its label; '' where the provider needs none
  user_id INTEGER NOT NULL REFERENCES users (id),
  key_id INTEGER NOT NULL REFERENCES keys (id),
  remote_id TEXT NOT NULL,
  requests INTEGER NOT NULL CHECK (requests > 0),
  created_at_us INTEGER NOT NULL,
  metered_at_us INTEGER, input_file TEXT,
  UNIQUE (provider_id, remote_id)
) STRICT;
CREATE TABLE batch_lines (
  batch_id INTEGER NOT NULL REFERENCES batches (id),
  custom_id TEXT NOT NULL, -- a digest: what a client calls it is not ours to keep
  request_id INTEGER NOT NULL UNIQUE, -- of its intent, whose slot is -1: no process owns it
  PRIMARY KEY (batch_id, custom_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE user_profiles (
  user_id INTEGER PRIMARY KEY REFERENCES users (id),
  display_name TEXT NOT NULL
) STRICT;
CREATE TABLE object_accounts (
  id INTEGER PRIMARY KEY,
  provider_id INTEGER NOT NULL REFERENCES providers (id),
  provider_key TEXT NOT NULL, -- its label; '' where the provider needs none
  UNIQUE (provider_id, provider_key)
) STRICT;
CREATE TABLE objects (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES object_accounts (id),
  kind TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users (id),
  key_id INTEGER NOT NULL REFERENCES keys (id),
  batch_id INTEGER REFERENCES batches (id), -- of a file: whose results it has
  created_at_us INTEGER NOT NULL,
  UNIQUE (remote_id, kind, account_id)
) STRICT;
CREATE TABLE object_items (
  remote_id TEXT NOT NULL,
  account_id INTEGER NOT NULL REFERENCES object_accounts (id),
  user_id INTEGER NOT NULL REFERENCES users (id),
  created_at_us INTEGER NOT NULL,
  PRIMARY KEY (remote_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE object_shares (
  id INTEGER PRIMARY KEY,
  remote_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  account_id INTEGER NOT NULL REFERENCES object_accounts (id),
  user_id INTEGER REFERENCES users (id), -- NULL: everybody
  created_at_us INTEGER NOT NULL
) STRICT;
CREATE TABLE widened_bounds (
  id INTEGER PRIMARY KEY,
  model_id INTEGER NOT NULL,
  member TEXT NOT NULL,
  excess_pico INTEGER NOT NULL CHECK (excess_pico >= 0),
  factor_permille INTEGER NOT NULL CHECK (factor_permille >= 1000),
  dearest_pico INTEGER NOT NULL CHECK (dearest_pico >= 0),
  times INTEGER NOT NULL CHECK (times > 0),
  missing_pico INTEGER NOT NULL CHECK (missing_pico >= 0),
  uncharged_pico INTEGER NOT NULL CHECK (uncharged_pico >= 0),
  first_at_us INTEGER NOT NULL,
  last_at_us INTEGER NOT NULL,
  last_request_id INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  UNIQUE (model_id, member)
) STRICT;
CREATE TABLE login_accounts (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL,
  folded_email TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  password_hash TEXT,
  locale TEXT NOT NULL DEFAULT 'en',
  created_at_us INTEGER NOT NULL,
  verified_at_us INTEGER,
  age_attested_at_us INTEGER
, role TEXT NOT NULL DEFAULT 'user') STRICT;
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
CREATE TABLE account_tokens (
  digest BLOB PRIMARY KEY,
  purpose TEXT NOT NULL,
  account_id INTEGER REFERENCES login_accounts (id) ON DELETE CASCADE, -- NULL: an invitation of somebody who has none yet
  email TEXT NOT NULL, -- that it was sent to
  invitation_id INTEGER,
  created_at_us INTEGER NOT NULL,
  expires_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
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
, version TEXT NOT NULL DEFAULT '', tls TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  email TEXT NOT NULL,
  account_id INTEGER, -- the account that it is for; NULL where the person has none yet
  template_values TEXT NOT NULL, -- JSON; wiped once it is sent
  sealed_links BLOB, -- NULL where there are none, and once it is sent
  once TEXT UNIQUE,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'given-up')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at_us INTEGER NOT NULL, -- the next attempt, or the end of the lease of the running one
  error TEXT, -- the class of the last failure, without anything that a server or a person wrote
  created_at_us INTEGER NOT NULL,
  ended_at_us INTEGER,
  CHECK ((state = 'waiting') = (ended_at_us IS NULL)),
  CHECK (state <> 'sent' OR (sealed_links IS NULL AND template_values = '{}'))
) STRICT;
CREATE TABLE muted_notices (
  account_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  PRIMARY KEY (account_id, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE balance_thresholds (
  account_id INTEGER NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users (id),
  threshold_pico INTEGER NOT NULL CHECK (threshold_pico >= 0),
  PRIMARY KEY (account_id, user_id, threshold_pico)
) STRICT, WITHOUT ROWID;
CREATE TABLE notice_conditions (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  since_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
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
CREATE TABLE payments (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users (id),
  account_id INTEGER, -- of the person who pays; NULL for an automatic payment
  kind TEXT NOT NULL CHECK (kind IN ('checkout', 'automatic')),
  state TEXT NOT NULL CHECK (state IN ('open', 'processing', 'paid', 'failed', 'expired', 'refused')),
  asked_cents INTEGER NOT NULL CHECK (asked_cents > 0),
  asked_tax_cents INTEGER NOT NULL CHECK (asked_tax_cents >= 0),
  is_live INTEGER NOT NULL CHECK (is_live IN (0, 1)),
  session_id TEXT UNIQUE,
  intent_id TEXT UNIQUE,
  paid_cents INTEGER NOT NULL DEFAULT 0 CHECK (paid_cents >= 0),
  tax_cents INTEGER NOT NULL DEFAULT 0 CHECK (tax_cents >= 0 AND tax_cents <= paid_cents),
  refunded_cents INTEGER NOT NULL DEFAULT 0 CHECK (refunded_cents >= 0),
  disputed_cents INTEGER NOT NULL DEFAULT 0,
  held_cents INTEGER NOT NULL DEFAULT 0 CHECK (held_cents >= 0),
  credit_pico INTEGER NOT NULL DEFAULT 0,
  fetches INTEGER NOT NULL DEFAULT 0,
  posted_fetch INTEGER NOT NULL DEFAULT 0 CHECK (posted_fetch <= fetches),
  changed_fetch INTEGER NOT NULL DEFAULT 0 CHECK (changed_fetch <= posted_fetch),
  failure TEXT NOT NULL DEFAULT '',
  created_at_us INTEGER NOT NULL,
  changed_at_us INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE payment_postings (
  transfer_id INTEGER PRIMARY KEY,
  payment_id INTEGER NOT NULL REFERENCES payments (id),
  cause TEXT NOT NULL CHECK (cause IN ('payment', 'refund', 'dispute', 'hold')),
  amount_pico INTEGER NOT NULL CHECK (amount_pico <> 0),
  gross_cents INTEGER NOT NULL,
  fetch INTEGER NOT NULL
) STRICT;
CREATE TABLE refund_requests (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  payment_id INTEGER NOT NULL REFERENCES payments (id),
  account_id INTEGER, -- of the person who asked; NULL for an operator
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  state TEXT NOT NULL CHECK (state IN ('requested', 'approved', 'refunded', 'refused', 'failed')),
  refund_id TEXT UNIQUE,
  created_at_us INTEGER NOT NULL,
  answered_at_us INTEGER
) STRICT;
CREATE TABLE stripe_events (
  id TEXT PRIMARY KEY,
  payment_id INTEGER REFERENCES payments (id), -- NULL: of nobody here
  seen_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE stripe_customers (
  user_id INTEGER NOT NULL REFERENCES users (id),
  is_live INTEGER NOT NULL CHECK (is_live IN (0, 1)),
  claim TEXT NOT NULL UNIQUE,
  customer_id TEXT UNIQUE, -- NULL until it is made
  claimed_at_us INTEGER NOT NULL,
  PRIMARY KEY (user_id, is_live)
) STRICT, WITHOUT ROWID;
CREATE TABLE auto_top_ups (
  user_id INTEGER PRIMARY KEY REFERENCES users (id),
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  threshold_cents INTEGER NOT NULL CHECK (threshold_cents >= 0),
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  monthly_cap_cents INTEGER NOT NULL CHECK (monthly_cap_cents >= amount_cents),
  failures INTEGER NOT NULL CHECK (failures >= 0),
  next_at_us INTEGER NOT NULL,
  paused_at_us INTEGER
) STRICT;
CREATE TABLE "bills" (
  id INTEGER PRIMARY KEY,
  series TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  number TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('invoice', 'statement', 'credit-note', 'receipt')),
  user_id INTEGER NOT NULL REFERENCES users (id),
  period TEXT NOT NULL,
  from_us INTEGER,
  to_us INTEGER,
  covers INTEGER NOT NULL CHECK (covers IN (0, 1)),
  about_id INTEGER REFERENCES "bills" (id),
  cancels INTEGER NOT NULL CHECK (cancels IN (0, 1)),
  transfer_id INTEGER UNIQUE,
  exact_pico INTEGER,
  carried_pico INTEGER,
  issued_at_us INTEGER NOT NULL,
  document TEXT NOT NULL,
  UNIQUE (series, sequence),
  CHECK (kind <> 'receipt' OR transfer_id IS NOT NULL),
  CHECK (transfer_id IS NULL OR kind = 'receipt' OR (kind = 'credit-note' AND about_id IS NOT NULL AND cancels = 0)),
  CHECK ((transfer_id IS NOT NULL) = (exact_pico IS NULL) AND (exact_pico IS NULL) = (carried_pico IS NULL)),
  CHECK (covers = 0 OR to_us > from_us),
  CHECK (cancels = 0 OR (kind = 'credit-note' AND about_id IS NOT NULL AND covers = 0))
) STRICT;
CREATE TABLE projects (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users (id),
  name TEXT NOT NULL,
  created_at_us INTEGER NOT NULL,
  archived_at_us INTEGER
) STRICT;
CREATE TABLE invitations (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users (id),
  email TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'member', 'viewer')),
  invited_by INTEGER REFERENCES login_accounts (id), -- NULL: an operator
  created_at_us INTEGER NOT NULL,
  expires_at_us INTEGER NOT NULL,
  accepted_at_us INTEGER,
  revoked_at_us INTEGER
) STRICT;
CREATE TABLE key_owners (
  key_id INTEGER NOT NULL REFERENCES keys (id),
  from_number INTEGER NOT NULL, -- the first posting that is theirs
  until_number INTEGER, -- the first one that is not; NULL: they own it now
  account_id INTEGER REFERENCES login_accounts (id),
  project_id INTEGER REFERENCES projects (id),
  PRIMARY KEY (key_id, from_number)
) STRICT, WITHOUT ROWID;
CREATE TABLE budgets (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users (id),
  account_id INTEGER REFERENCES login_accounts (id),
  project_id INTEGER REFERENCES projects (id),
  period TEXT NOT NULL CHECK (period IN ('day', 'week', 'month')),
  amount_pico INTEGER NOT NULL CHECK (amount_pico >= 0),
  created_at_us INTEGER NOT NULL,
  held_pico INTEGER NOT NULL DEFAULT 0 CHECK (held_pico >= 0),
  spent_at_us INTEGER NOT NULL DEFAULT 0,
  spent_pico INTEGER NOT NULL DEFAULT 0, zone TEXT, reset_day INTEGER, alerts TEXT, raised_pico INTEGER, raised_until_us INTEGER,
  CHECK ((account_id IS NULL) <> (project_id IS NULL))
) STRICT;
CREATE TABLE key_budgets (
  key_id INTEGER NOT NULL REFERENCES keys (id),
  budget_id INTEGER NOT NULL REFERENCES budgets (id) ON DELETE CASCADE,
  PRIMARY KEY (key_id, budget_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at_us INTEGER NOT NULL,
  actor TEXT NOT NULL, -- the public id of an account, and no reference: the account may be erased
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
, version INTEGER NOT NULL DEFAULT 1, actor_kind TEXT NOT NULL DEFAULT 'account', channel TEXT NOT NULL DEFAULT 'portal', outcome TEXT NOT NULL DEFAULT 'done', changes TEXT NOT NULL DEFAULT '[]') STRICT;
CREATE TABLE former_members (
  account_id INTEGER NOT NULL REFERENCES login_accounts (id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users (id),
  PRIMARY KEY (account_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE webhook_endpoints (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  kinds TEXT NOT NULL, -- JSON; an empty list means all
  user_id INTEGER REFERENCES users (id), -- NULL: the whole instance
  status TEXT NOT NULL CHECK (status IN ('enabled', 'disabled', 'gone')),
  allow_private INTEGER NOT NULL CHECK (allow_private IN (0, 1)),
  sealed_secret BLOB NOT NULL,
  sealed_old_secret BLOB,
  old_secret_until_us INTEGER,
  failing_since_us INTEGER, -- a delivery was given up then, and none arrived since
  created_at_us INTEGER NOT NULL,
  CHECK ((sealed_old_secret IS NULL) = (old_secret_until_us IS NULL))
) STRICT;
CREATE TABLE webhook_events (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  user_id INTEGER REFERENCES users (id), -- NULL: it is about no organisation
  data TEXT NOT NULL, -- JSON
  once TEXT UNIQUE,
  at_us INTEGER NOT NULL
) STRICT;
CREATE TABLE webhook_deliveries (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  event_id INTEGER NOT NULL REFERENCES webhook_events (id) ON DELETE CASCADE,
  endpoint_id INTEGER NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  earlier_attempts INTEGER NOT NULL DEFAULT 0 CHECK (earlier_attempts BETWEEN 0 AND attempts),
  began_at_us INTEGER NOT NULL, -- when it was added or replayed
  next_at_us INTEGER NOT NULL, -- the next attempt, or the end of the lease of the running one
  status_code INTEGER,
  error TEXT, -- the class of the last failure
  ended_at_us INTEGER,
  CHECK ((state = 'waiting') = (ended_at_us IS NULL))
) STRICT;
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
CREATE TABLE "budget_alerts" (
  budget_id INTEGER NOT NULL REFERENCES budgets (id) ON DELETE CASCADE,
  period_start_us INTEGER NOT NULL,
  percent INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 100),
  reached_at_us INTEGER NOT NULL,
  told_at_us INTEGER,
  PRIMARY KEY (budget_id, period_start_us, percent)
) STRICT, WITHOUT ROWID;
CREATE TABLE caps (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id),
  key_id INTEGER REFERENCES keys (id), -- NULL: of all keys of the user together
  models TEXT NOT NULL DEFAULT '', -- the pattern of the models that count; empty: all
  period TEXT NOT NULL CHECK (period IN ('day', 'week', 'month', 'total')),
  amount_pico INTEGER NOT NULL CHECK (amount_pico >= 0),
  created_at_us INTEGER NOT NULL,
  zone TEXT,
  reset_day INTEGER,
  alerts TEXT NOT NULL DEFAULT '',
  raised_pico INTEGER,
  raised_until_us INTEGER,
  held_pico INTEGER NOT NULL DEFAULT 0 CHECK (held_pico >= 0),
  spent_at_us INTEGER NOT NULL DEFAULT 0,
  spent_pico INTEGER NOT NULL DEFAULT 0
, tag TEXT NOT NULL DEFAULT '', end_users INTEGER NOT NULL DEFAULT 0 CHECK (end_users IN (0, 1))) STRICT;
CREATE TABLE cap_alerts (
  cap_id INTEGER NOT NULL REFERENCES caps (id) ON DELETE CASCADE,
  period_start_us INTEGER NOT NULL,
  percent INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 100),
  reached_at_us INTEGER NOT NULL,
  told_at_us INTEGER,
  PRIMARY KEY (cap_id, period_start_us, percent)
) STRICT, WITHOUT ROWID;
CREATE TABLE model_rate_states (
  key_id INTEGER NOT NULL REFERENCES keys (id),
  models TEXT NOT NULL,
  rpm_tat_us INTEGER NOT NULL DEFAULT 0,
  tpm_tat_us INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (key_id, models)
) STRICT, WITHOUT ROWID;
CREATE TABLE limit_templates (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL COLLATE NOCASE UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('key', 'user')),
  parts TEXT NOT NULL, -- JSON: the limits for all models, and for patterns of models
  created_at_us INTEGER NOT NULL
) STRICT;
CREATE TABLE template_defaults (
  kind TEXT NOT NULL CHECK (kind IN ('key', 'user')),
  user_id INTEGER NOT NULL, -- of the organisation; 0: all that have none of their own
  template_id INTEGER NOT NULL REFERENCES limit_templates (id),
  PRIMARY KEY (kind, user_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE usage_tags (
  usage_id INTEGER PRIMARY KEY,
  tags TEXT NOT NULL, -- 'env=prod team=search', in the order of the names
  end_user TEXT NOT NULL -- a keyed digest; '' where the key does not ask for it
) STRICT;
CREATE TABLE cap_end_users (
  cap_id INTEGER NOT NULL REFERENCES caps (id) ON DELETE CASCADE,
  end_user TEXT NOT NULL,
  held_pico INTEGER NOT NULL DEFAULT 0 CHECK (held_pico >= 0),
  spent_at_us INTEGER NOT NULL DEFAULT 0,
  spent_pico INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (cap_id, end_user)
) STRICT, WITHOUT ROWID;
CREATE TABLE technical_addresses (
  key_id INTEGER NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
  day INTEGER NOT NULL,
  address TEXT NOT NULL, -- '' counts all that are beyond the bound
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  PRIMARY KEY (key_id, day, address)
) STRICT, WITHOUT ROWID;
CREATE TABLE technical_agents (
  key_id INTEGER NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
  day INTEGER NOT NULL,
  family TEXT NOT NULL, -- '' counts all that are beyond the bound
  version TEXT NOT NULL,
  device TEXT NOT NULL,
  tls TEXT NOT NULL,
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  PRIMARY KEY (key_id, day, family, version, device, tls)
) STRICT, WITHOUT ROWID;
CREATE TABLE technical_guesses (
  day INTEGER NOT NULL,
  network TEXT NOT NULL, -- '' counts all that are beyond the bound
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  slowed INTEGER NOT NULL,
  PRIMARY KEY (day, network)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_origins (
  entry_id INTEGER PRIMARY KEY, -- of `audit`, which knows nothing of this row
  at_us INTEGER NOT NULL,
  actor TEXT NOT NULL, -- or whom it is about, if nobody has signed in
  address TEXT NOT NULL,
  family TEXT NOT NULL,
  version TEXT NOT NULL,
  device TEXT NOT NULL,
  tls TEXT NOT NULL
) STRICT;
CREATE TABLE purges (
  id INTEGER PRIMARY KEY,
  at_us INTEGER NOT NULL,
  kind TEXT NOT NULL, -- 'technical-data'
  subject TEXT NOT NULL, -- the public id of a key, a user or an account; '' for all
  removed INTEGER NOT NULL -- rows
) STRICT;
CREATE TABLE abuse_hours (
  key_id INTEGER NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
  hour INTEGER NOT NULL, -- since 1970 UTC
  requests INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0,
  hang_ups INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL DEFAULT 0,
  charge_pico INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (key_id, hour)
) STRICT, WITHOUT ROWID;
CREATE TABLE abuse_guesses (
  hour INTEGER NOT NULL,
  network TEXT NOT NULL,
  failed INTEGER NOT NULL,
  PRIMARY KEY (hour, network)
) STRICT, WITHOUT ROWID;
CREATE TABLE abuse_cursors (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE abuse_alerts (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  rule TEXT NOT NULL,
  subject TEXT NOT NULL, -- the public id of a key, an organisation or an account, or a network
  key_id INTEGER REFERENCES keys (id) ON DELETE SET NULL,
  user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
  text TEXT NOT NULL,
  figures TEXT NOT NULL, -- JSON
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  acked_us INTEGER
) STRICT;
CREATE TABLE abuse_actions (
  id INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,
  alert_id INTEGER NOT NULL REFERENCES abuse_alerts (id),
  action TEXT NOT NULL CHECK (action IN ('throttle', 'suspend', 'reauthenticate')),
  key_id INTEGER REFERENCES keys (id) ON DELETE CASCADE,
  before TEXT NOT NULL, -- JSON: what an undo restores
  began_us INTEGER NOT NULL,
  until_us INTEGER, -- NULL: until it is undone
  undone_us INTEGER
) STRICT;
CREATE TABLE abuse_tunings (
  rule TEXT NOT NULL,
  key_id INTEGER NOT NULL, -- 0: every key that has none of its own
  enabled INTEGER CHECK (enabled IN (0, 1)), -- NULL: as the rule has it, and so for the others
  action TEXT CHECK (action IN ('alert', 'throttle', 'suspend', 'reauthenticate')),
  thresholds TEXT NOT NULL DEFAULT '{}', -- JSON
  PRIMARY KEY (rule, key_id)
) STRICT, WITHOUT ROWID;
INSERT INTO instance VALUES ('master_key_check', X'88E2142E763D63F0ABC2603D50BB91B136335412B8459E4F8A265A88D1B22B38');
INSERT INTO instance VALUES ('master_key_id', X'36313566626534636662356331646330');
INSERT INTO instance VALUES ('migration:0001', X'F1A431FFA24389FEB2DC83CACD81D47EFA7A2B47BAA080B3482B2B6F0BC90B5E');
INSERT INTO instance VALUES ('migration:0002', X'3C4E43498ED21BBC83B5DDB965E6DD1515016F0FEC17D4BA5DD070A55D4B633A');
INSERT INTO instance VALUES ('migration:0003', X'F899F3A2B177D170D58412BDAB7D33C6A0000C821162410048A97F9D8CC663BF');
INSERT INTO instance VALUES ('migration:0004', X'81D4EB1F70B46601EE1D669EE6591B1A740D884B2830553B1EB0F05B5ADCE18E');
INSERT INTO instance VALUES ('migration:0005', X'A0CFE8CA5C1D3295A22CEC5AEE7206FDCEA0349A1DFE8AE1E7B5FA56EAD59E2E');
INSERT INTO instance VALUES ('migration:0006', X'5DCD5E7DB09ECF18BD08B1B446F57F99953A6C9B10B62F52A8D15807A13712CA');
INSERT INTO instance VALUES ('migration:0007', X'E60F7869383D532FCC17329BDF9A926826F35F4ACE63E7CC9EF6E73109BFEB10');
INSERT INTO instance VALUES ('migration:0008', X'33ADD62CAE71007189BDC7E229D8CF67EC754B31F785C1F9A998F832BA6C7459');
INSERT INTO instance VALUES ('migration:0009', X'EFA931069197A18BE4A3478A6A014634D054DF96B2BF830C9C7BB954AD8F4C24');
INSERT INTO instance VALUES ('migration:0010', X'257AD729E633A8F71DEB765F91846322CFC3944AA32EC409CCFDAD959D398A26');
INSERT INTO instance VALUES ('migration:0011', X'A04C9058F483DE1AEC07CB85FB08EFC33DEBE58999449E622CBC81A7231E6160');
INSERT INTO instance VALUES ('migration:0012', X'8EBEEB1977762024A3395EBE460EAF146905F1DD36AEA23610626E298C93FA27');
INSERT INTO instance VALUES ('migration:0013', X'65FAFA35E7294D3AA8EDF38F4A20E118F1DAC828AB89514F2C8983976FEE7E17');
INSERT INTO instance VALUES ('migration:0014', X'63DB30FBBE90082F67811484C96F44A9A6B58E58A000C1E28062754FCC59B102');
INSERT INTO instance VALUES ('migration:0015', X'BAE46D0511EEF10E714589F119DE9C96CB407B821AB515BC5C26D5CC4E644561');
INSERT INTO instance VALUES ('migration:0016', X'13B11D65404B6153305EEE0CC949325C2D8002340AD0FEE7D1077EE66AA9BADF');
INSERT INTO instance VALUES ('migration:0017', X'C0D6B770824D549C68BFD9B95FAF6C61AEE90589DC66C02713A18223F94944E0');
INSERT INTO instance VALUES ('migration:0018', X'A740435717E9CEE1DE0DAF818A3D0E1C2FF0C2882339987A75B403CD89BE316C');
INSERT INTO instance VALUES ('migration:0019', X'8783F1C8AC2161BEA073FDCE5CC114DA33DE557298576C3A28B0613A841C9071');
INSERT INTO instance VALUES ('migration:0020', X'F681727DD4789724AA3136899C5C66560E032EF90120F9959D0BD6A11D98F6D9');
INSERT INTO instance VALUES ('migration:0021', X'F5AF2D46276974948B0B83DD0A023DDE2CF4A20348D3B131BC3CC99E1E0E76BC');
INSERT INTO instance VALUES ('migration:0022', X'7A67D2295C98EEE81725540FF062846C8B976F8B99A84C5DC5BEE5EF259DBA32');
INSERT INTO instance VALUES ('migration:0023', X'D4181F120BEEBD813EF44BF7AB869DA7800A758E23C651CC0F403085E8ACA973');
INSERT INTO instance VALUES ('migration:0024', X'AA23660EC3C32459A27DB05EF0DDFFF8BEEB2A1B60C0905406602B6FDD3306E6');
INSERT INTO instance VALUES ('migration:0025', X'BDF752A3948E67AD90129FFC3783E50E3901CE373CF234014856F9895E2E8A47');
INSERT INTO instance VALUES ('migration:0026', X'C88B9EED445914A112E976D2566DB0B65B5A4BC9E88EFCE2B2EFADFD1F8425D7');
INSERT INTO instance VALUES ('migration:0027', X'A4EC03C942809A7174354DEA9BD4DCE6919470C86A05C406D8780AE0EBA23C4D');
INSERT INTO instance VALUES ('migration:0028', X'06E7362BD2D00CFCC5D37D40692B04D14C65A3713D67F2B31DCE3CE6F35C3D82');
INSERT INTO instance VALUES ('migration:0029', X'2D26E93212BEAEA2E86766D8F7947BD48275DC7E885A76E154F54F0CDBCB0DDB');
INSERT INTO instance VALUES ('migration:0030', X'233B2EA367D3D7916B677841CB90E3B3CF567D217FEE34C84AA80B112AD5E710');
INSERT INTO instance VALUES ('migration:0031', X'09B8D31724FFDD6E476F6E73E8D2A30D40CED98121525ACA2C3C1D3363A19327');
INSERT INTO instance VALUES ('schema_checked', X'821D0E9624154F2535F881B8CB59210B80A29E59EF49B160C8A67D701527E7E1');
INSERT INTO instance VALUES ('sealed_pepper', X'01615FBE4CFB5C1DC056BFC113A588CF82FCA146784A859CB216D31C42366B0358CDF50B30FA87096B126C2375964D8F106F218306910DA490A530F7079ECFE9220918931632DA1E6F8378C6CEAC3E5719B02ED2923A2BAC726F7349FF27D8934685E98095AD40A32AEE1A8DA07975F20A529F86025A47CE1971FA1A7BE403CFE4');
INSERT INTO directory_revision VALUES (1, 14);
INSERT INTO users VALUES (1, 'usr_b09qspmm0c6s0wbc', 'ada', 'ada@example.org', 'user', 'active', 0, NULL, 1796131856505917, 5, '[]');
INSERT INTO users VALUES (2, 'usr_m7v4kyaf6w9cemdf', 'demo', 'demo@localhost', 'user', 'active', 0, NULL, 1796131856673341, 13, '[]');
INSERT INTO keys VALUES (1, 'key_pg9x67ndcgj6tjj4', 1, 'ci', 'sx_live_FMOh', X'68BD900E37160B5FED55DDAF525CA0A5F3984EDCB7736ED4CB587D0AC3C2D93E', '["m*"]', '[]', 60, NULL, NULL, 1000000000000, 'total', 'active', NULL, NULL, 1796131856641726, 6, '[]', '[]', NULL, '[]', '[]', 0);
INSERT INTO keys VALUES (2, 'key_94kex54smtbectxj', 2, 'quickstart', 'sx_live_v3CK', X'5D0E941B6A725C9467595B63E87BAAA37C5D917FAFC0EDB74AC0024E653B9A17', '[]', '[]', NULL, NULL, NULL, NULL, 'total', 'active', NULL, NULL, 1796131856689532, 14, '[]', '[]', NULL, '[]', '[]', 0);
INSERT INTO providers VALUES (1, 'prv_xn700041bshzmjhp', 'lab', 'openai-compatible', 'http://127.0.0.1:9', X'01615FBE4CFB5C1DC077FD311C7A7F3750D70B867DEC12D355D0ED67516E4AFEF1ED8E2065818D710153DE0AE36C4ED6C9070BD01AF2653CD01A13713B53D280BC7C2C80B98F60E01149ACC1A4A5044132AA20B589704CC7F04E5EA1DF8333B165D5257D8006CD', 'cancel', 'active', 1796131856477467, 2, NULL, 1, 0, '[]', NULL, '[]');
INSERT INTO providers VALUES (2, 'prv_ky1h21h2fwrn5vta', 'demo', 'demo', '', NULL, 'cancel', 'active', 1796131856658977, 8, NULL, 1, 0, '[]', NULL, '[]');
INSERT INTO models VALUES (1, 'm', 1, 'm', 1000, 100, 'active', 1796131856497464, 3);
INSERT INTO models VALUES (2, 'demo-small', 2, 'demo-small', 32768, 4096, 'active', 1796131856658977, 9);
INSERT INTO models VALUES (3, 'demo-large', 2, 'demo-large', 32768, 4096, 'active', 1796131856658977, 10);
INSERT INTO prices VALUES (1, 1, NULL, 'operator', '{"bands":[{"above_input_tokens":0,"service_tier":"standard","prices":{"input":"1.00","output":"2.00"}}]}', 1796131856497464, 1796131856497464, 4);
INSERT INTO prices VALUES (2, 2, NULL, 'catalogue', '{"bands":[{"above_input_tokens":0,"service_tier":"standard","prices":{"input":"0.50","output":"2.00"}}]}', 0, 1796131856658977, 11);
INSERT INTO prices VALUES (3, 3, NULL, 'catalogue', '{"bands":[{"above_input_tokens":0,"service_tier":"standard","prices":{"input":"2.50","output":"10.00"}}]}', 0, 1796131856658977, 12);
INSERT INTO markups VALUES (1, 'default', NULL, 43, 40, 1796131856657027, 1796131856657027, 7, 0);
INSERT INTO accounts VALUES (-3, 'adjustments');
INSERT INTO accounts VALUES (-2, 'revenue');
INSERT INTO accounts VALUES (-1, 'cash');
INSERT INTO wallets VALUES (1, 20000000000000, 0, 0);
INSERT INTO wallets VALUES (2, 4999893575000, 0, 0);
INSERT INTO transfers VALUES (1796131856618205, -1, 1, 25000000000000, 'top-up', 'pay-1', 'invoice 1');
INSERT INTO transfers VALUES (1796131856633307, 1, -3, 5000000000000, 'adjustment', NULL, 'goodwill');
INSERT INTO transfers VALUES (1796131856681819, -1, 2, 5000000000000, 'top-up', 'quickstart', 'for a first look');
INSERT INTO transfers VALUES (1796131857556949, 2, -2, 53212500, 'charge', NULL, NULL);
INSERT INTO transfers VALUES (1796131858062399, 2, -2, 53212500, 'charge', NULL, NULL);
INSERT INTO key_states VALUES (2, 0, 0, 0, 0, 1796131858062399, 106425000, 106425000, 106425000, 106425000);
INSERT INTO usage_daily VALUES (20788, 2, 2, 2, 2, 2, 0, 6, 48, 99000000, 106425000);
INSERT INTO usage VALUES (1796131857556949, 253513200543203328, 1796131857057187, 2, 2, 2, 2, 'demo-small', 'chat_completions', 0, 3, NULL, NULL, NULL, NULL, NULL, 24, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'standard', 2, 43, 40, 49500000, 53212500, 652525019, 200, NULL, 499, 499, 1, 'provider', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO usage VALUES (1796131858062399, 253513202652938240, 1796131857560183, 2, 2, 2, 2, 'demo-small', 'messages', 1, 3, NULL, NULL, NULL, NULL, NULL, 24, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'standard', 2, 43, 40, 49500000, 53212500, 661125019, 200, NULL, 501, 3, 1, 'provider', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO periods VALUES (1, 'all', 'UTC', 1767225600000000, 1796131858228665, 1796131858244105, '[{"user_id":1,"currency":"USD","rows":0,"cost_pico":0,"charge_pico":0,"paid_in_pico":20000000000000},{"user_id":2,"currency":"USD","rows":2,"cost_pico":99000000,"charge_pico":106425000,"paid_in_pico":5000000000000}]', X'06C3952E329F13EFA31965A3BFEA7D98428B717F124680CE98D9C0543CC907BB');
INSERT INTO technical_addresses VALUES (2, 20788, '127.0.0.1', 1796131857057187, 1796131857560183, 2);
INSERT INTO technical_agents VALUES (2, 20788, 'aiohttp', '3.14', '', '', 1796131857057187, 1796131857560183, 2);
CREATE INDEX keys_by_user ON keys (user_id);
CREATE INDEX prices_by_model ON prices (model_id);
CREATE UNIQUE INDEX transfers_by_reference ON transfers (reference) WHERE reference IS NOT NULL;
CREATE INDEX transfers_other_than_charges ON transfers (kind, id) WHERE kind <> 'charge';
CREATE INDEX users_by_revision ON users (revision);
CREATE TRIGGER users_insert AFTER INSERT ON users BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE users SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER users_update AFTER UPDATE ON users WHEN NEW.revision = OLD.revision BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE users SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE INDEX keys_by_revision ON keys (revision);
CREATE TRIGGER keys_insert AFTER INSERT ON keys BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE keys SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER keys_update AFTER UPDATE ON keys WHEN NEW.revision = OLD.revision BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE keys SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE INDEX providers_by_revision ON providers (revision);
CREATE TRIGGER providers_insert AFTER INSERT ON providers BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE providers SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER providers_update AFTER UPDATE ON providers WHEN NEW.revision = OLD.revision BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE providers SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE INDEX models_by_revision ON models (revision);
CREATE TRIGGER models_insert AFTER INSERT ON models BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE models SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER models_update AFTER UPDATE ON models WHEN NEW.revision = OLD.revision BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE models SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE INDEX prices_by_revision ON prices (revision);
CREATE TRIGGER prices_insert AFTER INSERT ON prices BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE prices SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE INDEX markups_by_revision ON markups (revision);
CREATE TRIGGER markups_insert AFTER INSERT ON markups BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE markups SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers BEGIN SELECT raise(ABORT, 'transfers is append-only'); END;
CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers BEGIN SELECT raise(ABORT, 'transfers is append-only'); END;
CREATE TRIGGER prices_no_update BEFORE UPDATE ON prices WHEN NEW.revision = OLD.revision BEGIN SELECT raise(ABORT, 'prices is append-only'); END;
CREATE TRIGGER prices_no_delete BEFORE DELETE ON prices BEGIN SELECT raise(ABORT, 'prices is append-only'); END;
CREATE TRIGGER markups_no_update BEFORE UPDATE ON markups WHEN NEW.revision = OLD.revision BEGIN SELECT raise(ABORT, 'markups is append-only'); END;
CREATE TRIGGER markups_no_delete BEFORE DELETE ON markups BEGIN SELECT raise(ABORT, 'markups is append-only'); END;
CREATE INDEX usage_corrections ON usage (corrects_row_id) WHERE corrects_row_id IS NOT NULL;
CREATE TRIGGER usage_no_update BEFORE UPDATE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
CREATE TRIGGER usage_no_delete BEFORE DELETE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
CREATE UNIQUE INDEX periods_by_end ON periods (to_us);
CREATE TRIGGER periods_no_update BEFORE UPDATE ON periods BEGIN SELECT raise(ABORT, 'periods is append-only'); END;
CREATE TRIGGER periods_no_delete BEFORE DELETE ON periods BEGIN SELECT raise(ABORT, 'periods is append-only'); END;
CREATE TRIGGER periods_no_overlap BEFORE INSERT ON periods
WHEN EXISTS (SELECT 1 FROM periods WHERE from_us < NEW.to_us AND to_us > NEW.from_us)
BEGIN SELECT raise(ABORT, 'periods do not overlap'); END;
CREATE INDEX manifests_by_body ON manifests (body_sha256);
CREATE TRIGGER manifests_no_gap BEFORE INSERT ON manifests
WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM manifests)
BEGIN SELECT raise(ABORT, 'manifests are numbered without a gap'); END;
CREATE TRIGGER manifests_no_update BEFORE UPDATE ON manifests BEGIN SELECT raise(ABORT, 'manifests is append-only'); END;
CREATE TRIGGER manifests_no_delete BEFORE DELETE ON manifests BEGIN SELECT raise(ABORT, 'manifests is append-only'); END;
CREATE UNIQUE INDEX price_proposals_by_subject
ON price_proposals (model_id, coalesce(user_id, 0), source, coalesce(starts_at_us, 0));
CREATE INDEX routes_by_revision ON routes (revision);
CREATE TRIGGER routes_insert AFTER INSERT ON routes BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE routes SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER routes_update AFTER UPDATE ON routes WHEN NEW.revision = OLD.revision BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE routes SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER attempts_no_update BEFORE UPDATE ON attempts BEGIN SELECT raise(ABORT, 'attempts is append-only'); END;
CREATE TRIGGER attempts_no_delete BEFORE DELETE ON attempts BEGIN SELECT raise(ABORT, 'attempts is append-only'); END;
CREATE INDEX batches_by_user ON batches (user_id, id);
CREATE INDEX batches_open ON batches (id) WHERE metered_at_us IS NULL;
CREATE INDEX objects_by_user ON objects (user_id, kind, id);
CREATE UNIQUE INDEX object_shares_by_name ON object_shares (remote_id, kind, account_id, coalesce(user_id, 0));
CREATE INDEX widened_bounds_by_revision ON widened_bounds (revision);
CREATE TRIGGER widened_bounds_insert AFTER INSERT ON widened_bounds BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE widened_bounds SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE TRIGGER widened_bounds_update AFTER UPDATE ON widened_bounds
WHEN NEW.excess_pico <> OLD.excess_pico OR NEW.factor_permille <> OLD.factor_permille
  OR NEW.dearest_pico <> OLD.dearest_pico BEGIN
  UPDATE directory_revision SET value = value + 1;
  UPDATE widened_bounds SET revision = (SELECT value FROM directory_revision) WHERE id = NEW.id;
END;
CREATE INDEX members_by_user ON members (user_id, account_id);
CREATE INDEX account_tokens_by_account ON account_tokens (account_id, purpose);
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX security_events_by_account ON security_events (account_id, id);
CREATE INDEX security_events_by_time ON security_events (at_us);
CREATE INDEX outbox_waiting ON outbox (next_at_us) WHERE state = 'waiting';
CREATE INDEX outbox_ended ON outbox (ended_at_us) WHERE ended_at_us IS NOT NULL;
CREATE INDEX notice_conditions_by_kind ON notice_conditions (kind);
CREATE INDEX passkeys_by_account ON passkeys (account_id);
CREATE INDEX federated_identities_by_account ON federated_identities (account_id);
CREATE INDEX ceremonies_by_expiry ON ceremonies (expires_at_us);
CREATE INDEX payments_by_user ON payments (user_id, id);
CREATE INDEX payments_unfinished ON payments (id) WHERE state IN ('open', 'processing');
CREATE UNIQUE INDEX payments_one_automatic ON payments (user_id)
WHERE kind = 'automatic' AND state IN ('open', 'processing');
CREATE INDEX payment_postings_by_payment ON payment_postings (payment_id);
CREATE TRIGGER payment_postings_no_update BEFORE UPDATE ON payment_postings BEGIN SELECT raise(ABORT, 'payment_postings is append-only'); END;
CREATE TRIGGER payment_postings_no_delete BEFORE DELETE ON payment_postings BEGIN SELECT raise(ABORT, 'payment_postings is append-only'); END;
CREATE INDEX refund_requests_by_payment ON refund_requests (payment_id);
CREATE INDEX stripe_events_by_time ON stripe_events (seen_at_us);
CREATE INDEX bills_by_user ON bills (user_id, id);
CREATE UNIQUE INDEX bills_cancelled_once ON bills (about_id) WHERE cancels = 1;
CREATE TRIGGER bills_no_update BEFORE UPDATE ON bills BEGIN SELECT raise(ABORT, 'bills is append-only'); END;
CREATE TRIGGER bills_no_delete BEFORE DELETE ON bills BEGIN SELECT raise(ABORT, 'bills is append-only'); END;
CREATE TRIGGER bills_once BEFORE INSERT ON bills
WHEN NEW.covers = 1 AND EXISTS (
  SELECT 1 FROM bills AS old
  WHERE old.user_id = NEW.user_id AND old.covers = 1 AND old.from_us < NEW.to_us AND old.to_us > NEW.from_us
    AND NOT EXISTS (SELECT 1 FROM bills AS credit WHERE credit.about_id = old.id AND credit.cancels = 1)
)
BEGIN SELECT raise(ABORT, 'that time has a document'); END;
CREATE UNIQUE INDEX projects_by_name ON projects (user_id, name COLLATE NOCASE) WHERE archived_at_us IS NULL;
CREATE INDEX projects_by_user ON projects (user_id, id);
CREATE INDEX invitations_by_user ON invitations (user_id, id);
CREATE UNIQUE INDEX key_owners_now ON key_owners (key_id) WHERE until_number IS NULL;
CREATE INDEX key_owners_by_account ON key_owners (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX key_owners_by_project ON key_owners (project_id) WHERE project_id IS NOT NULL;
CREATE UNIQUE INDEX budgets_by_subject ON budgets (user_id, coalesce(account_id, 0), coalesce(project_id, 0), period);
CREATE INDEX key_budgets_by_budget ON key_budgets (budget_id);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE UNIQUE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id, endpoint_id);
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (endpoint_id, next_at_us) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at_us) WHERE ended_at_us IS NOT NULL;
CREATE INDEX repeatable_calls_by_time ON repeatable_calls (at_us);
CREATE INDEX budget_alerts_untold ON budget_alerts (reached_at_us) WHERE told_at_us IS NULL;
CREATE INDEX caps_by_key ON caps (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX caps_of_users ON caps (user_id) WHERE key_id IS NULL;
CREATE INDEX cap_alerts_untold ON cap_alerts (reached_at_us) WHERE told_at_us IS NULL;
CREATE UNIQUE INDEX caps_by_subject ON caps (user_id, coalesce(key_id, 0), models, tag, end_users, period);
CREATE INDEX technical_addresses_by_day ON technical_addresses (day);
CREATE INDEX technical_agents_by_day ON technical_agents (day);
CREATE INDEX audit_origins_by_time ON audit_origins (at_us);
CREATE INDEX audit_origins_by_actor ON audit_origins (actor);
CREATE INDEX abuse_hours_by_hour ON abuse_hours (hour, key_id);
CREATE INDEX abuse_alerts_by_subject ON abuse_alerts (rule, subject, last_us);
CREATE INDEX abuse_alerts_by_key ON abuse_alerts (key_id, id) WHERE key_id IS NOT NULL;
CREATE INDEX abuse_alerts_open ON abuse_alerts (id) WHERE acked_us IS NULL;
CREATE INDEX abuse_alerts_by_time ON abuse_alerts (last_us);
CREATE INDEX abuse_actions_by_alert ON abuse_actions (alert_id);
CREATE INDEX abuse_actions_by_key ON abuse_actions (key_id) WHERE undone_us IS NULL;
CREATE INDEX abuse_actions_ending ON abuse_actions (until_us) WHERE undone_us IS NULL AND until_us IS NOT NULL;
CREATE TRIGGER bills_no_gap BEFORE INSERT ON bills
WHEN NEW.sequence <> 1 + max(
  coalesce((SELECT max(sequence) FROM bills WHERE series = NEW.series), 0),
  coalesce((SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM instance WHERE name = 'given_out:' || NEW.series), 0)
)
BEGIN SELECT raise(ABORT, 'numbers have no gaps'); END;
