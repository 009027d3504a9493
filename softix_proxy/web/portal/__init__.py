"""The portal: the pages on a listener of its own, for people who signed in."""
