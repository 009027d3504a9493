"""Sends the messages of the outbox: by SMTP, or into a folder."""
