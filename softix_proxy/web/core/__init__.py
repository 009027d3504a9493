"""What all rooms of the web share: the context of the app, its monitor, and who may read metrics."""
