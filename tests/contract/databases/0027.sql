PRAGMA application_id = 5306140;
PRAGMA user_version = 27;
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
, regions TEXT NOT NULL DEFAULT '[]', earlier_models TEXT NOT NULL DEFAULT '[]', unknown_members TEXT CHECK (unknown_members IN ('pass', 'strip', 'refuse'))) STRICT;
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
, region TEXT, key_weight INTEGER NOT NULL DEFAULT 1 CHECK (key_weight > 0), version_in_url INTEGER NOT NULL DEFAULT 0 CHECK (version_in_url IN (0, 1)), drop_fields TEXT NOT NULL DEFAULT '[]', unknown_members TEXT CHECK (unknown_members IN ('pass', 'strip', 'refuse'))) STRICT;
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
, widened_pico INTEGER CHECK (widened_pico > 0)) STRICT;
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
) STRICT;
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
  spent_pico INTEGER NOT NULL DEFAULT 0,
  CHECK ((account_id IS NULL) <> (project_id IS NULL))
) STRICT;
CREATE TABLE key_budgets (
  key_id INTEGER NOT NULL REFERENCES keys (id),
  budget_id INTEGER NOT NULL REFERENCES budgets (id) ON DELETE CASCADE,
  PRIMARY KEY (key_id, budget_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE budget_alerts (
  budget_id INTEGER NOT NULL REFERENCES budgets (id) ON DELETE CASCADE,
  period_start_us INTEGER NOT NULL,
  percent INTEGER NOT NULL CHECK (percent IN (50, 80, 100)),
  reached_at_us INTEGER NOT NULL,
  told_at_us INTEGER,
  PRIMARY KEY (budget_id, period_start_us, percent)
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
INSERT INTO instance VALUES ('master_key_check', X'A1E253AD1DCF5A52EDC57E8C3915CBC2CC6F2C59DE8465FDA7E6F92CED2EC0FE');
INSERT INTO instance VALUES ('master_key_id', X'35336336616266383335386662363339');
INSERT INTO instance VALUES ('sealed_pepper', X'0153C6ABF8358FB6395FCBAE5F7B9584D8A3634746F4C77C9010D9F4AF3D7910F8FF9350DC33EA881F20541AFB667CC7691429240889B485D145AE89819F780F9E635A4B8BC91369C060BB51F050A3DAB60EE46773C61C7354CD3E505810E49F7D3C54A99AB09166C4CF1EDD39FD6C8F4BFD0C28068365E64BEAB3E3DBA6367724');
INSERT INTO directory_revision VALUES (1, 14);
INSERT INTO users VALUES (1, 'usr_7jqt8gfrfcg7xja2', 'ada', 'ada@example.org', 'user', 'active', 0, NULL, 1796128877624486, 5, '[]');
INSERT INTO users VALUES (2, 'usr_0t2m4ctma3k9xk51', 'demo', 'demo@localhost', 'user', 'active', 0, NULL, 1796128877910188, 13, '[]');
INSERT INTO keys VALUES (1, 'key_zg8f7mqkpwt7az43', 1, 'ci', 'sx_live_qcii', X'7DACBEF90F2E7EC330B158D4B9B8B8F9124FDEFF398730C6A555F7A303DB1203', '["m*"]', '[]', 60, NULL, NULL, 1000000000000, 'total', 'active', NULL, NULL, 1796128877869954, 6, '[]', '[]', NULL);
INSERT INTO keys VALUES (2, 'key_xhwse3vzderjn7gh', 2, 'quickstart', 'sx_live_ajwd', X'C5FD8B81F818667DB6C0F2EAABBD4A2303F77B51141D6585C2780AC129062430', '[]', '[]', NULL, NULL, NULL, NULL, 'total', 'active', NULL, NULL, 1796128877943714, 14, '[]', '[]', NULL);
INSERT INTO providers VALUES (1, 'prv_2x1dd3xz94za5qnw', 'lab', 'openai-compatible', 'http://127.0.0.1:9', X'0153C6ABF8358FB639A64841A69433047E411F51DAC4C3DED838BCB27A7B96D6B8C7E1AEF232FAC03EF06FD2203CE6BF6ED973180C6948F5E4B975D4E6A3BDC6B92909D0D7EE4E025FE2186FBD902CCE7C03C0F60D1DE2242F673A2AFB2ED5976C7FF08998D2DD', 'cancel', 'active', 1796128877577830, 2, NULL, 1, 0, '[]', NULL);
INSERT INTO providers VALUES (2, 'prv_7b3b5vc26rcj9kvd', 'demo', 'demo', '', NULL, 'cancel', 'active', 1796128877892580, 8, NULL, 1, 0, '[]', NULL);
INSERT INTO models VALUES (1, 'm', 1, 'm', 1000, 100, 'active', 1796128877608073, 3);
INSERT INTO models VALUES (2, 'demo-small', 2, 'demo-small', 32768, 4096, 'active', 1796128877892580, 9);
INSERT INTO models VALUES (3, 'demo-large', 2, 'demo-large', 32768, 4096, 'active', 1796128877892580, 10);
INSERT INTO prices VALUES (1, 1, NULL, 'operator', '{"bands":[{"above_input_tokens":0,"service_tier":"standard","prices":{"input":"1.00","output":"2.00"}}]}', 1796128877608073, 1796128877608073, 4);
INSERT INTO prices VALUES (2, 2, NULL, 'catalogue', '{"bands":[{"above_input_tokens":0,"service_tier":"standard","prices":{"input":"0.50","output":"2.00"}}]}', 0, 1796128877892580, 11);
INSERT INTO prices VALUES (3, 3, NULL, 'catalogue', '{"bands":[{"above_input_tokens":0,"service_tier":"standard","prices":{"input":"2.50","output":"10.00"}}]}', 0, 1796128877892580, 12);
INSERT INTO markups VALUES (1, 'default', NULL, 43, 40, 1796128877885556, 1796128877885556, 7, 0);
INSERT INTO accounts VALUES (-3, 'adjustments');
INSERT INTO accounts VALUES (-2, 'revenue');
INSERT INTO accounts VALUES (-1, 'cash');
INSERT INTO wallets VALUES (1, 20000000000000, 0, 0);
INSERT INTO wallets VALUES (2, 4999893575000, 0, 0);
INSERT INTO transfers VALUES (1796128877833981, -1, 1, 25000000000000, 'top-up', 'pay-1', 'invoice 1');
INSERT INTO transfers VALUES (1796128877858431, 1, -3, 5000000000000, 'adjustment', NULL, 'goodwill');
INSERT INTO transfers VALUES (1796128877927577, -1, 2, 5000000000000, 'top-up', 'quickstart', 'for a first look');
INSERT INTO transfers VALUES (1796128878823328, 2, -2, 53212500, 'charge', NULL, NULL);
INSERT INTO transfers VALUES (1796128879408137, 2, -2, 53212500, 'charge', NULL, NULL);
INSERT INTO key_states VALUES (2, 0, 0, 0, 0, 1796128879408137, 106425000, 106425000, 106425000, 106425000);
INSERT INTO usage_daily VALUES (20788, 2, 2, 2, 2, 2, 0, 6, 48, 99000000, 106425000);
INSERT INTO usage VALUES (1796128878823328, 253500706768551936, 1796128878309273, 2, 2, 2, 2, 'demo-small', 'chat_completions', 0, 3, NULL, NULL, NULL, NULL, NULL, 24, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'standard', 2, 43, 40, 49500000, 53212500, 652525019, 200, NULL, 510, 510, 1, 'provider', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO usage VALUES (1796128879408137, 253500708983144448, 1796128878837105, 2, 2, 2, 2, 'demo-small', 'messages', 1, 3, NULL, NULL, NULL, NULL, NULL, 24, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'standard', 2, 43, 40, 49500000, 53212500, 661125019, 200, NULL, 570, 3, 1, 'provider', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO periods VALUES (1, 'all', 'UTC', 1767225600000000, 1796128879447375, 1796128879463712, '[{"user_id":1,"currency":"USD","rows":0,"cost_pico":0,"charge_pico":0,"paid_in_pico":20000000000000},{"user_id":2,"currency":"USD","rows":2,"cost_pico":99000000,"charge_pico":106425000,"paid_in_pico":5000000000000}]', X'414F1DCAB31E226D717EB6961796BC184038294A801EA1AFD1C80190E4365756');
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
CREATE INDEX budget_alerts_untold ON budget_alerts (reached_at_us) WHERE told_at_us IS NULL;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE UNIQUE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id, endpoint_id);
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (endpoint_id, next_at_us) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at_us) WHERE ended_at_us IS NOT NULL;
CREATE INDEX repeatable_calls_by_time ON repeatable_calls (at_us);
CREATE TRIGGER bills_no_gap BEFORE INSERT ON bills
WHEN NEW.sequence <> 1 + max(
  coalesce((SELECT max(sequence) FROM bills WHERE series = NEW.series), 0),
  coalesce((SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM instance WHERE name = 'given_out:' || NEW.series), 0)
)
BEGIN SELECT raise(ABORT, 'numbers have no gaps'); END;
