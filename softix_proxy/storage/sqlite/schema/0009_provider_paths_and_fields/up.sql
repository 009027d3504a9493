ALTER TABLE providers ADD COLUMN version_in_url INTEGER NOT NULL DEFAULT 0 CHECK (version_in_url IN (0, 1));
ALTER TABLE providers ADD COLUMN drop_fields TEXT NOT NULL DEFAULT '[]';
