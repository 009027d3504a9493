"""The directory at a moment, the routes and the choice of a target."""
