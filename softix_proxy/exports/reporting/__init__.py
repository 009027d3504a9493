"""The files of an export: they are written atomically, fingerprinted and audited."""
