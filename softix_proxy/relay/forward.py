"""Step 4: what goes to the provider, and what of its head goes back."""

from __future__ import annotations

from softix_proxy.dialects.base import Ask
from softix_proxy.dialects.fields import Fields
from softix_proxy.dialects.registry import HEADERS, named, path_for
from softix_proxy.domain.providers import ProviderKey
from softix_proxy.domain.upstream import Call, Header, Headers
from softix_proxy.relay.inbound import Inbound
from softix_proxy.relay.plan import Target

_HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
    ]
)
_NOT_TO_PROVIDER = _HOP_BY_HOP | {
    "authorization",
    "x-api-key",
    "x-goog-api-key",
    "api-key",
    "cookie",
    "host",
    "content-length",
    "content-encoding",  # the body was decoded on arrival
    "accept-encoding",  # usage is read in passing, so the answer must not be compressed
    "expect",
    "forwarded",
    "via",
    "x-real-ip",
    "openai-organization",  # these choose among the operator's own accounts
    "openai-project",
    "x-goog-user-project",
    "x-goog-request-params",  # names the model as it is called here
    "x-goog-fieldmask",  # could leave the usage out of the answer
    "x-http-method-override",
}
_OF_ONE_DIALECT = ("anthropic-", "openai-", "x-stainless-", "x-goog-", "content-type")
_KEPT_ABROAD = {"raw_predict": "anthropic-beta", "stream_raw_predict": "anthropic-beta"}
_NOT_TO_PROVIDER_PREFIXES = ("x-forwarded-", "x-softix-", "cf-", "sec-")
_NOT_TO_CLIENT = _HOP_BY_HOP | {
    "content-length",
    "set-cookie",
    "set-cookie2",
    "server",
    "date",
    "via",
    "alt-svc",
    "strict-transport-security",
    "www-authenticate",
    "access-control-allow-credentials",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "report-to",
    "nel",
    "cf-ray",
    "cf-cache-status",
    # The operator's account, and limits that all its users share.
    "openai-organization",
    "openai-project",
    "anthropic-organization-id",
}
_NOT_TO_CLIENT_PREFIXES = ("x-ratelimit-", "anthropic-ratelimit-", "x-softix-")


def call(
    request: Inbound,
    body: bytes,
    ask: Ask,
    output_limit: int | None,
    target: Target,
    caller_key_id: int,
    key: ProviderKey | None,
) -> Call:
    """The client's bytes, unless the hold, the model's name there, or the reading of usage needs a change."""
    if target.endpoint is not request.endpoint:
        return _abroad(request, body, ask, target, caller_key_id, key)
    rate = target.rate
    counts_itself = any(rate.has_price(meter) and rate.has_cost(meter) for meter in ask.counted)
    ask_usage = ask.stream and not ask.wants_usage and not counts_itself
    if output_limit is not None and target.model.max_output_tokens is not None:
        output_limit = min(output_limit, target.model.max_output_tokens)
    model = target.model.upstream_name if target.model.upstream_name != ask.model else None
    if model is not None or output_limit is not None or ask_usage:
        body = request.endpoint.rewrite(
            body,
            model=model,
            max_output_tokens=output_limit,
            ask_usage=ask_usage,
            output_field=target.provider.profile.output_field,
        )
    body = _understood(body, target)
    path = named(request.path, target.model.upstream_name)
    headers = outgoing(request.headers, request.credential)
    rest = request.rest if request.rest_bytes else None
    return Call(caller_key_id, target.provider, path, headers, body, ask.stream, rest, key, target.leg.timeouts)


def _abroad(
    request: Inbound, body: bytes, ask: Ask, target: Target, caller_key_id: int, key: ProviderKey | None
) -> Call:
    """Of a body that is translated already: without the headers that only the client's own dialect has."""
    name, path = target.endpoint.name, path_for(target.endpoint, target.model.upstream_name)
    headers = outgoing(request.headers, request.credential)
    keeps = _KEPT_ABROAD.get(name, "")
    headers = [header for header in headers if header[0] == keeps or not header[0].startswith(_OF_ONE_DIALECT)]
    headers += [("content-type", "application/json"), *HEADERS.get(name, ())]
    body = _understood(body, target)
    return Call(caller_key_id, target.provider, path, headers, body, ask.stream, key=key, timeouts=target.leg.timeouts)


def _understood(body: bytes, target: Target) -> bytes:
    """With the provider's own names for what it would refuse."""
    names = target.provider.profile.fields
    if not names or target.endpoint.form_fields is not None:
        return body
    return Fields(body, _NONE).renamed(names)


def outgoing(headers: Headers, credential: str | None) -> list[Header]:
    """What of the client's headers the provider gets: none that has the client's key, whatever its name."""
    dropped = _NOT_TO_PROVIDER | _named_by_connection(headers)
    kept = [
        (name, value)
        for name, value in headers
        if name not in dropped
        and not name.startswith(_NOT_TO_PROVIDER_PREFIXES)
        and not (credential is not None and credential in value)
    ]
    kept.append(("accept-encoding", "identity"))
    return kept


def returning(headers: Headers, secret: str | None) -> list[Header]:
    """What of the provider's headers the client gets: nothing with line breaks, or with the provider's key."""
    dropped = _NOT_TO_CLIENT | _named_by_connection(headers)
    return [
        (name, value if value.isprintable() else "".join(filter(str.isprintable, value)))
        for name, value in headers
        if name not in dropped
        and not name.startswith(_NOT_TO_CLIENT_PREFIXES)
        and not (secret is not None and secret in value)
    ]


def retyped(headers: Headers, kind: str) -> list[Header]:
    return [(name, kind if name == "content-type" else value) for name, value in headers]


_NONE: frozenset[str] = frozenset()


def _named_by_connection(headers: Headers) -> frozenset[str]:
    """`Connection: close, x-thing` makes `x-thing` a matter of this hop alone."""
    named = [value for name, value in headers if name == "connection"]
    if not named:
        return _NONE
    return frozenset(part.strip().lower() for value in named for part in value.split(","))
