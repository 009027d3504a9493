"""Reads the base URLs that operators write, and brings them into the form that is stored.

A base URL is the part before an endpoint's last words (`/chat/completions`, `/messages`). Three ways of writing it are
accepted. `https://api.example.com` names no version, so softix inserts the dialect's own (`/v1`). If the URL has a
version (`…/api/v3`, `…/v1beta/openai`), softix inserts nothing. If the whole URL of an endpoint was pasted, softix cuts
it before the last words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from softix_proxy.domain.catalog.forbidden_hosts import is_forbidden_host
from softix_proxy.domain.catalog.profiles import PROFILES, Profile, path_behind_version
from softix_proxy.domain.catalog.provider_types import BLANKS, ProviderType
from softix_proxy.domain.core.errors import BadInputError

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?\.?|[0-9a-f:.]+")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*")
_VERSION = re.compile(r"v\d+(?:(?:alpha|beta|preview)\d*)?")
_DEPLOYMENT = re.compile(r"(/openai)/deployments/([^/]+)(?:/.*)?$")
"""The path of a deployment in Azure's older URLs, as Azure's portal shows them."""
_HARMLESS_QUERY = frozenset(("api-version", "alt", "beta"))
"""The query parameters that a pasted URL of an endpoint may have. Others may be secrets."""
_MODEL = "{model}"


class BaseUrl(NamedTuple):
    """A base URL in the one form in which it is stored."""

    text: str
    has_version: bool = False
    """Whether softix inserts no version, because the URL names one or the type's paths have none."""
    is_settled: bool = True
    """Whether the written URL leaves no doubt about `has_version`."""
    deployment: str | None = None
    """Azure's name for a model, if the URL had one."""


def read_base_url(text: str, kind: ProviderType) -> BaseUrl:
    """Reads a base URL.

    Raises BadInputError for anything but plain http(s), for a URL with credentials, and for a host that serves the
    secrets of a cloud.
    """
    try:
        url = urlsplit(text.strip())
        host, port = url.hostname or "", url.port
    except ValueError:
        host, port = "", None
        url = urlsplit("")
    if url.scheme not in ("https", "http") or not _HOST.fullmatch(host) or port == 0:
        raise BadInputError("not a base URL", "write one like https://api.example.com or http://10.0.0.5:8000")
    if is_forbidden_host(host):
        raise BadInputError(
            "a cloud keeps secrets at that address, or it is link-local", "name the provider's own host"
        )
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
    """Returns the base URL before an endpoint's last words, or None if the path does not end with any."""
    if kind is ProviderType.AZURE and (found := _DEPLOYMENT.search(path)) is not None:
        return BaseUrl(path[: found.start()] + found[1], deployment=found[2])
    for pattern, has_version in _endings(kind):
        if (found := pattern.search(path)) is not None:
            rest = path[: found.start()]
            return BaseUrl(rest, has_version=True) if has_version else BaseUrl(_without_version(rest, PROFILES[kind]))
    return None


@cache
def _endings(kind: ProviderType) -> tuple[tuple[re.Pattern[str], bool], ...]:
    """Returns the endings of whole URLs: those with the type's own version first, and of these the longest first."""
    from softix_proxy.dialects.registry import PROVIDER_ENDPOINTS

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
    """Returns the base URL for a path without last words, and decides whether it names a version."""
    profile = PROFILES[kind]
    rest = _without_version(path, profile)
    if rest != path:
        return BaseUrl(rest)
    segments = path.split("/")
    # OpenAI's SDKs expect the version in the base URL, at any place. Anthropic's and Google's SDKs insert it
    # themselves.
    looked_at = segments if profile.versioned_base_urls else segments[-1:]
    has_version = any(_VERSION.fullmatch(segment) for segment in looked_at)
    return BaseUrl(path, has_version, is_settled=has_version or not profile.versioned_base_urls)


def _without_version(path: str, profile: Profile) -> str:
    """Removes the version with which the type's own paths begin."""
    for version in profile.versions:
        if path.endswith(version):
            return path.removesuffix(version).rstrip("/")
    return path


def _usual_path(host: str, kind: ProviderType) -> str:
    """Returns the path of the type's default base URL if the host is the type's own and no path was written."""
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
