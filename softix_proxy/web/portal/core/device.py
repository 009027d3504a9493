"""Names a browser in a way that a person knows: its family and its system, and never the whole user agent."""

from __future__ import annotations

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""A mark of the user agent → its family. The first one that is found counts, because most name others as well."""
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_BROWSER, _SYSTEM = "Another browser", "another system"


def device_of(user_agent: str | None) -> str:
    """Returns for example `Firefox on Linux`."""
    said = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in said), _BROWSER)
    system = next((name for mark, name in _SYSTEMS if mark in said), _SYSTEM)
    return f"{browser} on {system}"
