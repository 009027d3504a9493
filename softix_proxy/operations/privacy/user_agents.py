"""Reads what a program calls itself. What comes out are words of softix's lists and numbers, and never its own text.

SDKs and tools are found by a table here, because ua-parser knows browsers only. It is imported for the first text that
the table does not know, and its results pass through lists as well: its rules copy a client's words, as in `wordbot`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

from softix_proxy.domain.privacy.technical_data import UNKNOWN, Agent

if TYPE_CHECKING:
    from ua_parser import Result

OTHER: Final = "other"
"""The family of a program that no list knows."""
_MOST_LETTERS: Final = 256
_MOST_KNOWN: Final = 1000
_PROGRAM = re.compile(r"([A-Za-z][\w.-]{0,39}(?:/(?:Python|JS|Go|Java|Ruby|PHP))?)[/ ]v?(\d[\w.+-]{0,30})?")
_VERSION = re.compile(r"\d{1,5}(?:\.\d{1,5}){0,2}")
_PROGRAMS: Mapping[str, str] = {
    "anthropic/go": "Anthropic Go SDK",
    "anthropic/java": "Anthropic Java SDK",
    "anthropic/js": "Anthropic JavaScript SDK",
    "anthropic/python": "Anthropic Python SDK",
    "anthropic/ruby": "Anthropic Ruby SDK",
    "asyncanthropic/python": "Anthropic Python SDK",
    "asyncazureopenai/python": "OpenAI Python SDK",
    "asyncopenai/python": "OpenAI Python SDK",
    "azureopenai/js": "OpenAI JavaScript SDK",
    "azureopenai/python": "OpenAI Python SDK",
    "bun": "Bun",
    "claude-cli": "Claude Code",
    "cline": "Cline",
    "codex_cli_rs": "Codex",
    "codex_exec": "Codex",
    "curl": "curl",
    "deno": "Deno",
    "geminicli": "Gemini CLI",
    "go-http-client": "Go",
    "google-genai-sdk": "Google Gen AI SDK",
    "guzzlehttp": "Guzzle",
    "litellm": "LiteLLM",
    "node": "Node.js",
    "node-fetch": "Node.js",
    "openai/go": "OpenAI Go SDK",
    "openai/java": "OpenAI Java SDK",
    "openai/js": "OpenAI JavaScript SDK",
    "openai/python": "OpenAI Python SDK",
    "openai/ruby": "OpenAI Ruby SDK",
    "opencode": "opencode",
    "python-httpx": "HTTPX",
    "python-requests": "Requests",
    "softix-proxy": "softix",
    "undici": "Node.js",
    "wget": "Wget",
}
"""What a program calls itself, in lower case → its family."""
_BROWSERS: Mapping[str, str] = {
    "Apache-HttpClient": "Apache HttpClient",
    "Brave": "Brave",
    "Chrome": "Chrome",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chromium": "Chromium",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "Edge": "Edge",
    "Edge Mobile": "Edge",
    "Electron": "Electron",
    "Firefox": "Firefox",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "HeadlessChrome": "Chrome",
    "Mobile Safari": "Safari",
    "Opera": "Opera",
    "Opera Mobile": "Opera",
    "PostmanRuntime": "Postman",
    "Python aiohttp": "aiohttp",
    "Python-urllib": "urllib",
    "Safari": "Safari",
    "Samsung Internet": "Samsung Internet",
    "Vivaldi": "Vivaldi",
    "axios": "Axios",
    "okhttp": "OkHttp",
}
"""The family that ua-parser finds → the one that is kept."""
_SYSTEMS: Mapping[str, str] = {
    "Android": "Android",
    "Chrome OS": "ChromeOS",
    "Debian": "Linux",
    "Fedora": "Linux",
    "Linux": "Linux",
    "Mac OS X": "macOS",
    "Ubuntu": "Linux",
    "Windows": "Windows",
    "iOS": "iPhone",
}
_IPAD: Final = "iPad"
_known: dict[bytes, Agent] = {}
"""The digest of a text → what was read in it, so that no text is kept in memory either."""


async def agent_of(text: str) -> Agent:
    """Returns the program of a user agent. A text that is new to this process may be read in a thread."""
    text = text[:_MOST_LETTERS]
    if not text:
        return UNKNOWN
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    if digest not in _known:
        found = program_of(text)
        if found is None:
            found = await asyncio.to_thread(_browser_of, text)
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[digest] = found
    return _known[digest]


def program_of(text: str) -> Agent | None:
    """Returns the SDK or tool that the text begins with, or None if the table has none."""
    found = _PROGRAM.match(text)
    family = _PROGRAMS.get(found[1].lower()) if found else None
    return Agent(family, _version(found[2] or ""), "") if found and family else None


def _browser_of(text: str) -> Agent:
    told = _parser()(text)
    browser, system = told.user_agent, told.os
    family = _BROWSERS.get(browser.family, OTHER) if browser is not None else OTHER
    version = "" if browser is None or family == OTHER else f"{browser.major or ''}.{browser.minor or '0'}"
    device = _SYSTEMS.get(system.family, "") if system is not None else ""
    if told.device is not None and told.device.family == _IPAD:
        device = _IPAD
    return Agent(family, _version(version), device)


def _version(text: str) -> str:
    found = _VERSION.match(text)
    return found[0] if found else ""


@cache
def _parser() -> Callable[[str], Result]:
    """Returns the parser. It takes 7 MB and a third of a second, so it is made for the first browser only."""
    from ua_parser import Parser
    from ua_parser.basic import Resolver
    from ua_parser.loaders import load_lazy_builtins

    return Parser(Resolver(load_lazy_builtins())).parse
