"""The commands for exports, manifests and reconciliation."""
