"""What the operations of several capabilities share."""
