"""The jobs that run beside requests: recovery, batches and reports of target health."""
