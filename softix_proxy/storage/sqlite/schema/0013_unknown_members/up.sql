ALTER TABLE providers ADD COLUMN unknown_members TEXT CHECK (unknown_members IN ('pass', 'strip', 'refuse'));
ALTER TABLE keys ADD COLUMN unknown_members TEXT CHECK (unknown_members IN ('pass', 'strip', 'refuse'));
