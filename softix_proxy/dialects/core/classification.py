"""Decides whether a provider's response is a result or an error. Many errors come with the status 200.

Requests, the lines of batches, realtime sessions and objects that are kept at a provider use the same rule. The
functions are pure: only the status, the headers and the body decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, NamedTuple

import msgspec

from softix_proxy.dialects.core.base import ProviderEndpoint, StreamMeter, UsageReport
from softix_proxy.dialects.core.errors import (
    STATUS_OF,
    ProviderError,
    classify_event,
    error_type,
    name_error,
    status_in,
)
from softix_proxy.dialects.request.fields import MALFORMED
from softix_proxy.domain.core.headers import Headers
from softix_proxy.domain.core.records import record

_GOOD = 300
_UNKNOWN = 502
_FIRST_BAD, _FIRST_UNKNOWN = 400, 600
_OVERLOADED = 529
"""Anthropic's status code for an overloaded server. Its clients know it."""
_BODILESS = frozenset((204, 205))
_BLANK = b" \t\r\n\xef\xbb\xbf"
_BEGINS = re.compile(rb"[{\[]|data:|event:|id:|retry:|:")
"""The beginnings of JSON, and of an event stream without its content type. A page or plain text is no result."""
_ERROR, _FAILED = b'"error"', b'"failed"'
"""The words to search for. A response with usage contains one of them if it reports an error as well."""
_LARGE_BYTES, _EDGE_BYTES = 64 * 1024, 8 * 1024
"""The size from which only the beginning and the end of a response are searched, and the length of each of these.

To search a megabyte of vectors takes a while.
"""
_EMPTY = frozenset((b"null", b"[]"))
_LONGEST_EMPTY = 4
_SAYS = frozenset(
    ("detail", "details", "message", "msg", "errors", "error_msg", "error_message", "errorMessage", "title")
)
"""The members in which servers and gateways without an `error` object describe an error."""
_BESIDE = _SAYS | frozenset(
    (
        "code",
        "status",
        "status_code",
        "statusCode",
        "success",
        "error",
        "error_code",
        "errorCode",
        "type",
        "reason",
        "instance",
        "path",
        "timestamp",
        "request_id",
        "requestId",
        "trace_id",
        "traceId",
        "base_resp",
    )
)
"""The members that may come with such a description. An object with any other member may be a result."""


class ClientError(NamedTuple):
    """The error that the client may receive."""

    status: int
    body: bytes


@record(frozen=True, slots=True)
class Classification:
    error: str | None
    """One of ProviderError. None if the response is a result."""
    status: int
    """The provider's status. If an error came with a good status, the status that it should have had."""
    report: UsageReport | None = None
    worked: bool = True
    """Whether there is work to bill: the response reports usage, or it contains some output."""
    told: ClientError | None = field(default=None, repr=False)
    """The error for the client.

    None if the error concerns the operator's credentials, or if no client would understand it.
    """


def classify(status: int, headers: Headers, body: bytes, endpoint: ProviderEndpoint | None = None) -> Classification:
    """Classifies a whole response.

    Without an endpoint, the response describes an object that is kept at the provider.
    """
    if status >= _GOOD:
        error = name_error(status, body, error_type(headers))
        tellable = _FIRST_BAD <= status < _FIRST_UNKNOWN and error != ProviderError.CREDENTIALS
        return Classification(error, status, None, False, ClientError(status, body) if tellable else None)
    report = endpoint.report(body) if endpoint is not None else None
    reports = report is not None and any(report.meters.values())
    if not reports or _may_tell(body):
        failure = _failure(status, body, metered=endpoint is not None, reports=reports)
        if failure is not None:
            return _as_error(failure, report if reports else None, status, body)
    return Classification(None, status, report)


def _may_tell(body: bytes) -> bool:
    """Returns whether the body shows a sign of an error. Every Responses object has an `error`, which may be null."""
    if len(body) > _LARGE_BYTES:
        body = body[:_EDGE_BYTES] + body[-_EDGE_BYTES:]
    if _FAILED in body:
        return True
    at = body.find(_ERROR)
    while at >= 0:
        at += len(_ERROR)
        if not body[at : at + 16].lstrip(b": \r\n\t").startswith(b"null"):
            return True
        at = body.find(_ERROR, at)
    return False


def classify_stream(meter: StreamMeter) -> Classification:
    """Classifies a stream that has ended, from what its meter read.

    The usage that it reported and the content that passed are billed.
    """
    report = meter.report
    error = meter.failure
    if error is None:
        return Classification(None, 200, report)
    worked = (report is not None and any(report.meters.values())) or meter.estimate_output_tokens() > 0
    return Classification(error, STATUS_OF.get(error, _UNKNOWN), report, worked)


def as_event(body: bytes) -> bytes:
    """Converts an error in JSON into a server-sent event, for a client that expects a stream."""
    answer = _ANSWER.decode(body)
    name = b"event: error\n" if isinstance(answer, _Answer) and answer.type == "error" else b""
    return b"%bdata: %b\n\n" % (name, msgspec.json.format(body, indent=-1))


class _Failure(NamedTuple):
    """An error that came with a good status."""

    error: str
    status: int
    body: bytes | None
    """The part of the response that describes the error, as a body. None if no client would understand it."""
    produced: bool = False
    """Whether the response contains some output. Then the client must get all of it unchanged."""
    documented: bool = False
    """Whether the dialect documents such responses. Then its clients check for them."""


def _as_error(failure: _Failure, report: UsageReport | None, status: int, body: bytes) -> Classification:
    worked = report is not None or failure.produced
    told: ClientError | None
    if failure.documented or (failure.produced and failure.body is not body):
        told = ClientError(status, body)
    else:
        told = None if failure.body is None else ClientError(failure.status, failure.body)
    if failure.error == ProviderError.CREDENTIALS:
        told = None
    return Classification(failure.error, failure.status, report, worked, told)


class _Message(msgspec.Struct):
    content: Any = None
    tool_calls: Any = None


class _Choice(msgspec.Struct):
    error: msgspec.Raw = msgspec.Raw()
    finish_reason: Any = None
    message: _Message | None = None
    text: Any = None


class _Answer(msgspec.Struct):
    type: Any = None
    object: Any = None
    status: Any = None
    error: msgspec.Raw = msgspec.Raw()
    choices: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()
    candidates: msgspec.Raw = msgspec.Raw()
    promptFeedback: msgspec.Raw = msgspec.Raw()  # noqa: N815 - the wire's own name


_ANSWER = msgspec.json.Decoder(_Answer | list[_Answer])
_CHOICES = msgspec.json.Decoder(list[_Choice])
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NO_ANSWER = _Failure(ProviderError.NO_ANSWER.value, STATUS_OF[ProviderError.NO_ANSWER], None)


def _failure(status: int, body: bytes, *, metered: bool, reports: bool) -> _Failure | None:
    """Returns the error in a response with a good status. None if it is a result or shows no sign of an error."""
    start = body[:64].lstrip(_BLANK)
    if not start and (metered or status not in _BODILESS) and not body.strip(_BLANK):
        return _NO_ANSWER
    if start and _BEGINS.match(start) is None:
        return _NO_ANSWER
    try:
        answer = _ANSWER.decode(body)
    except MALFORMED:
        return None
    if isinstance(answer, list):  # Google sends an error as the only element of a list.
        return next((_of_error(each, body) for each in answer[:1] if _says(each.error)), None)
    if answer.type == "error" or _says(answer.error):
        if answer.object == "response" and answer.status == "failed":
            return _of_error(answer, body)._replace(documented=True)
        return _of_error(answer, body)
    if answer.status == "failed" and answer.object in (None, "response") and metered:
        return _Failure(ProviderError.FAULT.value, 500, body, documented=answer.object == "response")
    if not metered:
        return None
    failed = _of_choices(answer.choices)
    if failed is not None or reports:
        return failed
    if _size(answer.promptFeedback):  # Gemini explains here why there are no candidates.
        return None
    said = _of_words(body)
    if said is None and any(_is_empty(carrier) for carrier in (answer.choices, answer.data, answer.candidates)):
        return _NO_ANSWER
    return said


def _says(error: msgspec.Raw) -> bool:
    """Returns whether an `error` has content. Some servers send an empty `error` with every response."""
    found = _value(error)
    return any(found.values()) if isinstance(found, dict) else bool(found)


def _size(raw: msgspec.Raw) -> int:
    """Returns the size of a member in bytes, or 0 if it is absent."""
    return memoryview(raw).nbytes


def _is_empty(raw: msgspec.Raw) -> bool:
    return 0 < _size(raw) <= _LONGEST_EMPTY and bytes(raw) in _EMPTY


def _value(raw: msgspec.Raw) -> Any:
    """Returns the value of a member. One that says something in broken UTF-8 is text, and no reason to fail."""
    try:
        return msgspec.json.decode(raw) if _size(raw) else None
    except MALFORMED:
        return bytes(raw).decode("utf-8", "replace")


def _of_error(answer: _Answer, body: bytes) -> _Failure:
    error = _value(answer.error)
    code = classify_event(error)
    status = status_in(error) or (
        _OVERLOADED if answer.type == "error" and code == ProviderError.OVERLOADED else STATUS_OF[code]
    )
    return _Failure(code, status, body)


def _of_choices(raw: msgspec.Raw) -> _Failure | None:
    """Finds an error within a choice. It is there in place of the message, or after some of it."""
    if b'"error"' not in bytes(raw):
        return None
    try:
        choices = _CHOICES.decode(raw)
    except MALFORMED:
        return None
    failed = next((each for each in choices if _says(each.error) or each.finish_reason == "error"), None)
    if failed is None:
        return None
    produced = any(
        each.text or (each.message is not None and (each.message.content or each.message.tool_calls))
        for each in choices
    )
    error = _value(failed.error)
    code = classify_event(error)
    body = b'{"error":%b}' % bytes(failed.error) if _says(failed.error) else None
    return _Failure(code, status_in(error) or STATUS_OF[code], body, bool(produced))


def _of_words(body: bytes) -> _Failure | None:
    """Finds an error of a server that has no `error` member.

    Such a response describes the error in other members and contains nothing else.
    """
    try:
        members = _MEMBERS.decode(body)
    except MALFORMED:
        return None
    told = {name: raw for name, raw in members.items() if not _is_empty(raw)}
    if not (told.keys() & _SAYS and told.keys() <= _BESIDE):
        return None
    said: Mapping[str, Any] = {name: _value(raw) for name, raw in told.items()}
    status = status_in(said)
    code = name_error(status, b"") if status else ProviderError.UNKNOWN.value
    return _Failure(code, status or STATUS_OF[code], body)
