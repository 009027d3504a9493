"""Files of an export: written atomically, fingerprinted and audited."""
