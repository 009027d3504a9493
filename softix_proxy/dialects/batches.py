"""Reads batches in the formats of OpenAI and Anthropic: their requests, their progress and their results.

OpenAI's requests are the lines of a file that was uploaded before. Anthropic's are in the body. Results are lines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from softix_proxy.dialects.core.base import Endpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.request.fields import MALFORMED, JsonMembers, invalid, read_fields, unmetered
from softix_proxy.domain.core.errors import RefusedError

FILES, BATCHES, MESSAGE_BATCHES = "/v1/files", "/v1/batches", "/v1/messages/batches"
TIER = "batch"
MOST_REQUESTS = 10_000
MOST_LINE_BYTES = 16 * 1024 * 1024
LINE_ENDPOINTS = ("chat_completions", "responses", "completions", "embeddings", "moderations")
"""The endpoints of the requests that may be in the file of an OpenAI batch."""
_BY_PATH: Mapping[str, Endpoint] = {ENDPOINTS[name].path: ENDPOINTS[name] for name in LINE_ENDPOINTS}
_LINE = frozenset(("custom_id", "method", "url", "body"))
_ENTRY = frozenset(("custom_id", "params"))
_CREATION = frozenset(("input_file_id", "endpoint", "requests"))
_REQUESTS, _INPUT_FILE = "requests", "input_file_id"
_AT_HOME = frozenset(("results_url", _INPUT_FILE))
_LIST = b"["[0]
_IN_A_STEP = 64
"""The requests that are rewritten before others are served."""
_ENDED = frozenset(("failed", "completed", "expired", "cancelled", "ended"))
_SUCCEEDED = "succeeded"
_ANSWERED = ("completed", _SUCCEEDED)
_OK = 200
_FAILED = 400


class BatchItem(NamedTuple):
    """One request of a batch."""

    custom_id: str
    """The digest of the custom id."""
    endpoint: Endpoint
    body: bytes
    line: bytes = b""
    """The line of the file that has it. Empty for a request that is in a body."""


class BatchCreation(NamedTuple):
    """The request that creates an OpenAI batch."""

    input_file_id: str
    endpoint: Endpoint


class BatchProgress(NamedTuple):
    ended: bool
    remote_id: str | None
    files: tuple[str, ...]
    """The files with OpenAI's results, by their names at the provider."""
    has_results: bool
    """Whether there are results at Anthropic, which have a URL of their own."""
    answered: int
    """The number of requests that the provider reports as done."""
    input_file: str | None = None
    """The file with OpenAI's requests."""


class BatchItemResult(NamedTuple):
    """The result of one request."""

    custom_id: str
    """The digest of the custom id."""
    status_code: int
    answer: bytes | None
    """The provider's response. None if the request was never run."""
    answered: bool
    """Whether the provider counts the request as done, whatever the response contains."""


def digest(custom_id: str) -> str:
    return hashlib.sha256(custom_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def read_creation(body: bytes) -> BatchCreation:
    """Reads the creation of an OpenAI batch. Raises RefusedError if it is not valid."""
    fields = read_fields(body, _CREATION)
    file_id, path = fields.text("input_file_id"), fields.text("endpoint")
    if not file_id or not path:
        raise invalid("`input_file_id` and `endpoint` are needed.")
    endpoint = _BY_PATH.get(path)
    if endpoint is None:
        raise unmetered(f"Batches are metered here for {', '.join(_BY_PATH)}.")
    return BatchCreation(file_id, endpoint)


def read_line(line: bytes, endpoint: Endpoint) -> BatchItem:
    """Reads a line of an OpenAI batch's input. Raises RefusedError if it is not valid."""
    fields = read_fields(line, _LINE)
    if fields.text("method") != "POST" or fields.text("url") != endpoint.path:
        raise invalid(f"its `method` and `url` have to be POST and {endpoint.path}.")
    body = fields.raw("body")
    if body is None:
        raise invalid("it has no `body`.")
    return BatchItem(_named(fields), endpoint, bytes(body), line)


def with_body(line: bytes, body: bytes) -> bytes:
    """Returns a line of an OpenAI batch's input with this request in it."""
    return JsonMembers(line, _LINE).replaced({"body": body})


def name_of(line: bytes) -> str:
    """Returns the digest of the custom id of a line of an OpenAI batch's input.

    Raises RefusedError if the line is not valid.
    """
    return _named(read_fields(line, _LINE))


def read_entries(body: bytes) -> Iterator[BatchItem]:
    """Yields the requests of an Anthropic batch's body. Raises RefusedError if the body is not valid."""
    listed = read_fields(body, _CREATION)
    entries = listed.elements(_REQUESTS, MOST_REQUESTS)
    if entries is None:
        is_list = memoryview(listed.raw(_REQUESTS) or b"{")[0] == _LIST
        raise too_many() if is_list else invalid("`requests` must be a list of objects.")
    for number, entry in enumerate(entries, 1):
        with numbered(number):
            fields = JsonMembers(entry, _ENTRY, "it", listed.known_of(_REQUESTS, number - 1))
            params = fields.raw("params")
            if params is None:
                raise invalid("it has no `params`.")
            item = BatchItem(_named(fields), ENDPOINTS["messages"], bytes(params))
        yield item


@contextmanager
def numbered(number: int) -> Iterator[None]:
    """Adds the number of the request to the message of a refusal."""
    try:
        yield
    except RefusedError as error:
        error.message = f"Request {number} of the batch: {error.message}"
        raise


def too_many() -> RefusedError:
    return invalid(f"A batch may have {MOST_REQUESTS} requests here.")


def _named(fields: JsonMembers) -> str:
    custom_id = fields.text("custom_id")
    if not custom_id:
        raise invalid("it has no `custom_id`.")
    return digest(custom_id)


def with_model(entries: Mapping[int, str], body: bytes) -> Generator[None, None, bytes]:
    """Returns an Anthropic batch's body with the provider's model names in these requests, after some steps."""
    if not entries:
        return body
    fields = JsonMembers(body, _CREATION)
    parts: list[bytes | msgspec.Raw] = []
    for number, entry in enumerate(fields.elements(_REQUESTS, MOST_REQUESTS) or ()):
        changed: bytes | msgspec.Raw = entry
        if number in entries:
            inner = JsonMembers(entry, _ENTRY, known=fields.known_of(_REQUESTS, number))
            params = JsonMembers(bytes(inner.raw("params") or b"{}"), frozenset(("model",)))
            changed = inner.replaced({"params": params.replaced({"model": msgspec.json.encode(entries[number])})})
        parts += (b",", changed)
        if number % _IN_A_STEP == 0:
            yield
    parts[:1] = [b"["]
    return fields.replaced({_REQUESTS: [*parts, b"]"]})


class _State(msgspec.Struct):
    id: Any = None
    status: Any = None
    input_file_id: Any = None
    processing_status: Any = None
    output_file_id: Any = None
    error_file_id: Any = None
    results_url: Any = None
    request_counts: Any = None


_STATE = msgspec.json.Decoder(_State)


def read_progress(body: bytes) -> BatchProgress | None:
    """Reads the progress from a provider's description of a batch. Returns None if it describes no batch."""
    try:
        state = _STATE.decode(body)
    except MALFORMED:
        return None
    files = tuple(name for name in map(_name, (state.output_file_id, state.error_file_id)) if name is not None)
    ended = state.status in _ENDED or state.processing_status in _ENDED
    counts = state.request_counts if isinstance(state.request_counts, dict) else {}
    answered = max((count for name in _ANSWERED if type(count := counts.get(name)) is int), default=0)
    return BatchProgress(ended, _name(state.id), files, bool(state.results_url), answered, _name(state.input_file_id))


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def at_home(body: bytes, remote_id: str, input_file: str | None = None) -> bytes:
    """Replaces the URL of Anthropic's results with a path below the client's base URL.

    The client's key is valid only here. `input_file` is the name of the file that the client made the batch of. It
    replaces that of the copy which the provider may have.
    """
    fields = JsonMembers(body, _AT_HOME)
    changes: dict[str, bytes] = {}
    if fields.has("results_url"):
        changes["results_url"] = msgspec.json.encode(f"{MESSAGE_BATCHES}/{remote_id}/results")
    if input_file is not None and fields.has(_INPUT_FILE):
        named = msgspec.json.encode(input_file)
        if bytes(fields.raw(_INPUT_FILE) or b"") != named:
            changes[_INPUT_FILE] = named
    return fields.replaced(changes) if changes else body


def with_input_file(body: bytes, name: str) -> bytes:
    """Returns the creation of an OpenAI batch with another file."""
    return JsonMembers(body, _CREATION).replaced({_INPUT_FILE: msgspec.json.encode(name)})


class _Response(msgspec.Struct):
    status_code: Any = None
    body: msgspec.Raw = msgspec.Raw()


class _Result(msgspec.Struct):
    type: Any = None
    message: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class _Line(msgspec.Struct):
    custom_id: str
    response: _Response | None = None
    result: _Result | None = None


_RESULT = msgspec.json.Decoder(_Line)


def read_outcome(line: bytes) -> BatchItemResult | None:
    """Reads a result line of OpenAI or Anthropic. Returns None if it is no result."""
    try:
        found = _RESULT.decode(line)
    except MALFORMED:
        return None
    name = digest(found.custom_id)
    if found.response is not None:
        status = found.response.status_code
        status = status if type(status) is int and 100 <= status <= 599 else _OK
        return BatchItemResult(name, status, bytes(found.response.body), status == _OK)
    result = found.result
    if result is None:
        return BatchItemResult(name, _FAILED, None, False)
    if result.type == _SUCCEEDED:
        return BatchItemResult(name, _OK, bytes(result.message), True)
    error = bytes(result.error)
    return BatchItemResult(name, _STATUSES.get(str(result.type), _FAILED), error or None, False)


_STATUSES = {"errored": _FAILED, "canceled": 499, "expired": 504}


def lines_of(held: bytearray, chunk: bytes) -> Iterator[bytes]:
    """Yields complete lines as they come. An incomplete line stays in `held`.

    Raises ValueError if a line is too long.
    """
    start, seen = 0, len(held)
    held += chunk
    while (end := held.find(b"\n", seen)) >= 0:
        if line := bytes(held[start:end]).strip():
            yield line
        start = seen = end + 1
    del held[:start]
    if len(held) > MOST_LINE_BYTES:
        raise ValueError
