"""Imports aiohttp without the system's certificates, which nothing here uses.

aiohttp reads them when it is imported, for clients that name no authorities: 25 ms and a megabyte. Every client here
names those that it trusts (`sockets.Trust`). One that did not would trust nobody.
"""

from __future__ import annotations

import ssl
import sys

_READER = "load_default_certs"


def import_aiohttp() -> None:
    """Imports aiohttp. Call it before any module that imports aiohttp, and before there are threads."""
    if "aiohttp" in sys.modules:
        return
    load = ssl.SSLContext.load_default_certs
    setattr(ssl.SSLContext, _READER, _load_nothing)
    try:
        import aiohttp  # noqa: F401
    finally:
        setattr(ssl.SSLContext, _READER, load)


def _load_nothing(context: ssl.SSLContext, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> None:
    """Replaces `load_default_certs`."""
