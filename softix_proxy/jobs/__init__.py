"""The jobs that run beside requests: recovery, batches, target health, messages, alerts, payments and expiry."""
