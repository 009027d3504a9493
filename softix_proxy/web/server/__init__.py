"""The listening socket and the clients' connections. All code that knows HTTP and aiohttp is here."""
