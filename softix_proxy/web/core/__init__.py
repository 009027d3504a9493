"""The parts that all web packages share: the context of the app, its monitor, and the access to metrics."""
