"""The messages that softix sends to people, and the outbox in which they wait."""
