"""The admin API: the commands of the command line as calls over HTTP, with JSON and admin tokens."""
