"""A fake model server that speaks the real protocols."""
