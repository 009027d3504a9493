"""Many changes at once: a file with a desired state, and lists of users and keys. All of it is done, or nothing."""
