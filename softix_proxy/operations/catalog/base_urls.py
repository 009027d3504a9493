"""What an operator may write as a base URL, and what of it is stored.

A base URL is what stands before an endpoint's last words (`/chat/completions`, `/messages`). Three ways of writing it
are understood. `https://api.example.com` names no version, so that the dialect's own (`/v1`) is put in. With a version
(`…/api/v3`, `…/v1beta/openai`) nothing is put in. And a URL that was pasted whole is cut before the last words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from softix_proxy.dialects.registry import PROVIDER_ENDPOINTS
from softix_proxy.domain.catalog.profiles import BLANKS, PROFILES, Profile, ProviderType, path_behind_version
from softix_proxy.domain.catalog.providers import is_metadata_host
from softix_proxy.domain.core.errors import BadInputError

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?\.?|[0-9a-f:.]+")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*")
_VERSION = re.compile(r"v\d+(?:(?:alpha|beta|preview)\d*)?")
_DEPLOYMENT = re.compile(r"(/openai)/deployments/([^/]+)(?:/.*)?$")
"""In Azure's older URLs, as its portal shows them."""
_HARMLESS_QUERY = frozenset(("api-version", "alt", "beta"))
"""What may stand behind a URL that is pasted whole. Others may be secrets."""
_MODEL = "{model}"


class BaseUrl(NamedTuple):
    """A base URL in the one form in which it is stored."""

    text: str
    has_version: bool = False
    """It names the version itself, or its paths have none: nothing is put between it and the endpoint's last words."""
    is_settled: bool = True
    """What was written leaves no doubt about that."""
    deployment: str | None = None
    """Azure's name for a model, which was in the URL."""


def read_base_url(text: str, kind: ProviderType) -> BaseUrl:
    """Raises BadInputError for anything but plain http(s), with credentials in it, or for a link-local host."""
    try:
        url = urlsplit(text.strip())
        host, port = url.hostname or "", url.port
    except ValueError:
        host, port = "", None
        url = urlsplit("")
    if url.scheme not in ("https", "http") or not _HOST.fullmatch(host) or port == 0:
        raise BadInputError("not a base URL", "write one like https://api.example.com or http://10.0.0.5:8000")
    if is_metadata_host(host):
        raise BadInputError("that address is link-local, where clouds keep secrets", "name the provider's own host")
    path = url.path.rstrip("/")
    if not _PATH.fullmatch(path) or ".." in path.split("/"):
        raise BadInputError("the base URL's path is not plain", "write one like https://api.example.com/openai")
    whole = _cut(path, kind)
    if "@" in url.netloc or "#" in text or ("?" in text and not (whole and _names(url.query) <= _HARMLESS_QUERY)):
        raise BadInputError(
            "a base URL has no credentials, query or fragment", "give the key with --key-stdin, --key-env or --key-file"
        )
    there = f"{url.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
    found = whole or _completed(path, kind)
    rest = found.text or (_usual_path(host, kind) if not found.has_version else "")
    return found._replace(text=there + rest)


def _names(query: str) -> set[str]:
    return set(parse_qs(query, keep_blank_values=True))


def _cut(path: str, kind: ProviderType) -> BaseUrl | None:
    """Before an endpoint's last words; None where it does not end with any."""
    if kind is ProviderType.AZURE and (found := _DEPLOYMENT.search(path)) is not None:
        return BaseUrl(path[: found.start()] + found[1], deployment=found[2])
    for pattern, has_version in _endings(kind):
        if (found := pattern.search(path)) is not None:
            rest = path[: found.start()]
            return BaseUrl(rest, has_version=True) if has_version else BaseUrl(_without_version(rest, PROFILES[kind]))
    return None


@cache
def _endings(kind: ProviderType) -> tuple[tuple[re.Pattern[str], bool], ...]:
    """How whole URLs end: with the type's own version first, the longest first."""
    profile = PROFILES[kind]
    paths = {PROVIDER_ENDPOINTS[name].path for name in profile.endpoints if name in PROVIDER_ENDPOINTS}
    own = {profile.path(path) for path in paths}
    listing = {profile.models_path} - {""}
    words = {path_behind_version(path) for path in own} - own
    return (*_patterns(own | listing, has_version=False), *_patterns(words, has_version=True))


def _patterns(endings: set[str], *, has_version: bool) -> Iterator[tuple[re.Pattern[str], bool]]:
    for ending in sorted(endings, key=len, reverse=True):
        before, _, after = ending.partition(_MODEL)
        model = "[^/]+" if _MODEL in ending else ""
        yield re.compile(f"{re.escape(before)}{model}{re.escape(after)}$"), has_version


def _completed(path: str, kind: ProviderType) -> BaseUrl:
    """A path without last words: whether it names a version."""
    profile = PROFILES[kind]
    rest = _without_version(path, profile)
    if rest != path:
        return BaseUrl(rest)
    segments = path.split("/")
    # OpenAI's SDKs want the version in the base URL, wherever it stands; Anthropic's and Google's put it in themselves.
    looked_at = segments if profile.versioned_base_urls else segments[-1:]
    has_version = any(_VERSION.fullmatch(segment) for segment in looked_at)
    return BaseUrl(path, has_version, is_settled=has_version or not profile.versioned_base_urls)


def _without_version(path: str, profile: Profile) -> str:
    """Without what the type's own paths begin with."""
    for version in profile.versions:
        if path.endswith(version):
            return path.removesuffix(version).rstrip("/")
    return path


def _usual_path(host: str, kind: ProviderType) -> str:
    """Of the type's own host, where only that was written: what its default base URL has behind it."""
    profile = PROFILES[kind]
    usual = urlsplit(profile.base_url)
    if not any(name in usual.path for name in BLANKS) and _host_pattern(profile).fullmatch(host):
        return usual.path
    return ""


def _host_pattern(profile: Profile) -> re.Pattern[str]:
    own = re.escape(urlsplit(profile.base_url).netloc)
    for name in BLANKS:
        own = own.replace(re.escape(f"{{{name}}}"), "[a-z0-9-]+")
    return re.compile("|".join((own, *(f"[a-z0-9-]+{re.escape(ending)}" for ending in profile.other_hosts))))
