ALTER TABLE markups ADD COLUMN fee_pico INTEGER NOT NULL DEFAULT 0 CHECK (fee_pico >= 0);
ALTER TABLE usage ADD COLUMN fee_pico INTEGER CHECK (fee_pico > 0);
DROP INDEX price_proposals_by_subject;
CREATE UNIQUE INDEX price_proposals_by_subject
ON price_proposals (model_id, coalesce(user_id, 0), source, coalesce(starts_at_us, 0));
