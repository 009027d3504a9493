"""softix-proxy: a metered, prepaid proxy for AI providers that keeps no content."""

__version__ = "0.1.0"
