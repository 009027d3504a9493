"""Prepares what goes to the provider, and chooses which of its headers go back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.core.request_headers import Passing, passing, passing_translated
from softix_proxy.dialects.core.response_headers import returned
from softix_proxy.dialects.registry import HEADERS, REPORT_ON_REQUEST, named, path_for
from softix_proxy.dialects.request.charsets import JSON
from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.dialects.request.multipart import content_type_of
from softix_proxy.dialects.request.refused_fields import USAGE_OPTION, named_fields, without_field
from softix_proxy.dialects.request.tags import HEADERS as TAGGED
from softix_proxy.domain.catalog.providers import ProviderKey
from softix_proxy.domain.core.headers import Header, Headers
from softix_proxy.domain.ports.upstream import UpstreamRequest
from softix_proxy.relay.core.inbound import Inbound
from softix_proxy.relay.core.plan import Target
from softix_proxy.relay.core.redaction import Redaction

TagOf = Callable[[str], str]
"""Returns what stands for a word of the client at the provider, for the API key of the request."""


def call(
    request: Inbound,
    body: bytes,
    spec: RequestSpec,
    output_limit: int | None,
    target: Target,
    caller_key_id: int,
    key: ProviderKey | None,
    pass_headers: frozenset[str] = frozenset(),
    *,
    tag_of: TagOf,
    usage_refused: bool = False,
    limits_refused: frozenset[str] = frozenset(),
) -> UpstreamRequest:
    """Returns the request to the provider. Its body has the client's bytes unless something has to change.

    A change is needed for the hold, for the provider's name of the model, or for the reading of usage. `pass_headers`
    are the headers that the operator passes on beside those of the dialect and of the provider's type. `usage_refused`
    says that the provider does not take the option that requests the usage of a stream. `limits_refused` are further
    names of the output limit that it does not take.
    """
    if target.endpoint is not request.endpoint:
        return _abroad(
            request, body, spec, target, caller_key_id, key, pass_headers, tag_of, usage_refused=usage_refused
        )
    rate = target.rate
    usage_refused = usage_refused or USAGE_OPTION in target.provider.renamed_fields
    counts_itself = any(rate.has_price(meter) and rate.has_cost(meter) for meter in spec.counted)
    unasked = spec.stream and not spec.wants_usage
    ask_usage = unasked and not (usage_refused or counts_itself)
    limit_names: tuple[str, ...] = ()
    if output_limit is not None or spec.limited_by:
        output_limit, limit_names = _limits(request, spec, output_limit, target, limits_refused)
    model = target.model.upstream_name if target.model.upstream_name != spec.model else None
    if spec.limited_by and not (model is not None or ask_usage):
        if limit_names:
            body = _with_limits(body, limit_names, spec.max_output_tokens or 1)
    elif model is not None or output_limit is not None or ask_usage:
        rewrite = request.endpoint.rewrite
        body = rewrite(
            body, model=model, max_output_tokens=output_limit, ask_usage=ask_usage, output_fields=limit_names
        )
    body = _understood(body, target, usage_refused=unasked and usage_refused)
    path = named(request.path, target.model.upstream_name)
    kind = JSON if request.endpoint.form_fields is None else content_type_of(body)
    headers = [*own_headers(request, target, pass_headers, tag_of), ("content-type", kind)]
    rest = request.rest if request.rest_bytes else None
    return UpstreamRequest(
        caller_key_id,
        target.provider,
        path,
        headers,
        body,
        spec.stream,
        rest,
        key,
        target.leg.timeouts,
        adds_usage_option=ask_usage,
        added_limits=limit_names if spec.limited_by else limit_names[1:],
    )


def added_fields(told: bytes, refused: UpstreamRequest) -> Collection[str]:
    """Returns the members that softix added to a request and that the provider's error names."""
    return named_fields(told, (*refused.added_limits, *((USAGE_OPTION,) if refused.adds_usage_option else ())))


def without(refused: UpstreamRequest, names: Collection[str]) -> UpstreamRequest:
    """Returns the request without these members, which softix added and the provider refused."""
    body = refused.body
    for name in names:
        body = without_field(body, name)
    return replace(
        refused,
        body=body,
        adds_usage_option=refused.adds_usage_option and USAGE_OPTION not in names,
        added_limits=tuple(name for name in refused.added_limits if name not in names),
    )


def _limits(
    request: Inbound, spec: RequestSpec, output_limit: int | None, target: Target, refused: frozenset[str]
) -> tuple[int | None, tuple[str, ...]]:
    """Returns the output limit to write, and the names under which the body still needs it."""
    names = target.provider.profile.limits_to_add(request.endpoint.name, spec.limited_by)
    if refused:
        names = tuple(name for name in names if name not in refused)
    if output_limit is None:
        return (spec.max_output_tokens if names else None), names
    most = target.model.max_output_tokens
    return (output_limit if most is None else min(output_limit, most)), names


def _with_limits(body: bytes, names: tuple[str, ...], limit: int) -> bytes:
    """Adds these members at the end of an object that has none of them. To read it once more would take longer."""
    added = b"".join(b',"%b":%d' % (name.encode(), limit) for name in names)
    return b"%b%b}" % (body.rstrip()[:-1], added)


def own_headers(request: Inbound, target: Target, pass_headers: frozenset[str], tag_of: TagOf) -> list[Header]:
    """Returns the client's headers that go to a provider that speaks the client's own dialect."""
    passed = passing(request.endpoint.family, target.provider.type, pass_headers)
    return outgoing(request.headers, request.credential, passed, tag_of)


def _abroad(
    request: Inbound,
    body: bytes,
    spec: RequestSpec,
    target: Target,
    caller_key_id: int,
    key: ProviderKey | None,
    pass_headers: frozenset[str],
    tag_of: TagOf,
    *,
    usage_refused: bool,
) -> UpstreamRequest:
    """Returns a request with a translated body. It lacks the headers that only the client's own dialect has."""
    name, path = target.endpoint.name, path_for(target.endpoint, target.model.upstream_name)
    passed = passing_translated(name, target.provider.type, pass_headers)
    headers = outgoing(request.headers, request.credential, passed, tag_of)
    headers += [("content-type", JSON), *HEADERS.get(name, ())]
    body = _understood(body, target, usage_refused=spec.stream and usage_refused)
    return UpstreamRequest(
        caller_key_id,
        target.provider,
        path,
        headers,
        body,
        spec.stream,
        key=key,
        timeouts=target.leg.timeouts,
        adds_usage_option=spec.stream and not usage_refused and name in REPORT_ON_REQUEST,
    )


def _understood(body: bytes, target: Target, *, usage_refused: bool) -> bytes:
    """Renames the fields that the provider would refuse, or leaves them out."""
    names = target.provider.renamed_fields
    if usage_refused:
        names = {**names, USAGE_OPTION: ""}
    if not names or target.endpoint.form_fields is not None:
        return body
    return JsonMembers(body, _NONE).renamed(names)


def outgoing(headers: Headers, credential: str | None, passed: Passing, tag_of: TagOf) -> list[Header]:
    """Returns the client's headers that go to the provider.

    Only listed headers are kept, and none that contains the client's key. `tag_of` returns what stands for a word of
    the client's own choice.
    """
    names, prefixes = passed
    dropped = _named_by_connection(headers)
    kept = [
        (name, value if name not in TAGGED else tag_of(value))
        for name, value in headers
        if (name in names or name.startswith(prefixes))
        and name not in dropped
        and not (credential is not None and credential in value)
    ]
    kept.append(("accept-encoding", "identity"))  # usage is read in passing, so the response must not be compressed
    return kept


def returning(headers: Headers, hidden: Redaction) -> list[Header]:
    """Returns the provider's headers that go to the client: those that are listed, without what is the operator's."""
    dropped = _named_by_connection(headers)
    kept = returned([header for header in headers if header[0] not in dropped] if dropped else headers)
    return hidden.headers(kept)


def retyped(headers: Headers, kind: str) -> list[Header]:
    return [(name, kind if name == "content-type" else value) for name, value in headers]


_NONE: frozenset[str] = frozenset()


def _named_by_connection(headers: Headers) -> frozenset[str]:
    """Returns the headers that concern only this hop: `Connection: close, x-thing` names `x-thing`."""
    named = [value for name, value in headers if name == "connection"]
    if not named:
        return _NONE
    return frozenset(part.strip().lower() for value in named for part in value.split(","))


def is_text(headers: Headers) -> bool:
    kind = next((value for name, value in headers if name == "content-type"), "")
    return kind.startswith(("text/", JSON))
