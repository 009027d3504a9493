"""The database file: it is opened, locked, numbered and migrated here."""
