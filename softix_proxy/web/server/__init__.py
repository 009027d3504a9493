"""The listening socket, and one client's connection: all that knows HTTP and aiohttp."""
