"""The directory of a moment, routes and the choice of a target."""
