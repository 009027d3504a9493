ALTER TABLE usage ADD COLUMN cost_price_id INTEGER CHECK (cost_price_id >= 0);
ALTER TABLE attempts ADD COLUMN cost_price_id INTEGER CHECK (cost_price_id >= 0);
