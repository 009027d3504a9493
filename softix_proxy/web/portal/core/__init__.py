"""What all pages of the portal share."""
