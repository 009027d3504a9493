"""The commands for prices."""
