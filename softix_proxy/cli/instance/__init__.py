"""The commands for the instance: init, serve, migrate, doctor and others."""
