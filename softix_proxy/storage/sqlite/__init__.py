"""The SQLite engine. All of its SQL is here."""
