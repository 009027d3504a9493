"""The database file: how it is opened, locked, numbered and migrated."""
