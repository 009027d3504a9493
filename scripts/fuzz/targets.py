"""Every parser of bytes that others choose, and what must be true of it whatever they choose.

A target is a function of bytes. It returns if all is well, and raises anything else if not. What holds for all of them:
no exception but those that the parser announces, and the same result however the bytes are split on the way.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BufferedReader, BytesIO
from typing import Any

from softix_proxy.dialects import batches
from softix_proxy.dialects.core.base import StreamMeter
from softix_proxy.dialects.core.classification import classify
from softix_proxy.dialects.core.errors import ProviderError
from softix_proxy.dialects.core.event_stream import BrokenFramesError, EventStream
from softix_proxy.dialects.core.json_array import JsonArray
from softix_proxy.dialects.openai.realtime import ResponseMeter, read_event, read_server_event
from softix_proxy.dialects.registry import ENDPOINTS, PROVIDER_ENDPOINTS
from softix_proxy.dialects.request.fields import SHARED, read_fields
from softix_proxy.dialects.request.multipart import FormFields, MultipartForm, boundary_of
from softix_proxy.dialects.translate import WriteOptions, translation
from softix_proxy.domain.core.errors import BadInputError, RefusedError
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.imports import formats, mapping, price_list
from softix_proxy.imports.mapping import BillMapping
from softix_proxy.web.router import path_syntax

Target = Callable[[bytes], None]
MOST_BYTES = 16 * 1024


class FindingError(AssertionError):
    """A parser broke its promise."""


def check(holds: object, what: str) -> None:
    if not holds:
        raise FindingError(what)


def pieces(data: bytes, sizes: bytes) -> Iterator[bytes]:
    """The data in pieces whose lengths the bytes of `sizes` give, again and again."""
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)] % 64 + 1 if sizes else len(data)
        yield data[at : at + size]
        at, turn = at + size, turn + 1


def split(data: bytes, count: int) -> tuple[bytes, bytes]:
    """The first bytes, which steer the test, and the rest, which is parsed."""
    return data[:count].ljust(count, b"\0"), data[count:]


# Streams of providers


STREAMS = tuple(PROVIDER_ENDPOINTS.values())


def _metered(meter: StreamMeter, parts: Iterable[bytes]) -> tuple[object, ...]:
    passed = b"".join([meter.feed(part) for part in parts])
    ended = meter.ended
    whole = passed + meter.take_held()
    estimate = meter.estimate_output_tokens()
    check(estimate >= 0, "an estimate below zero")
    if meter.report is not None:
        _check_meters(meter.report.meters)
    return whole, ended, meter.failure, meter.finishing, estimate, meter.report


def _check_meters(meters: Mapping[str, int]) -> None:
    check(meters.keys() <= METERS.keys(), "a meter that does not exist")
    check(all(type(number) is int and number >= 0 for number in meters.values()), "a quantity that is none")


def stream_meter(data: bytes) -> None:
    """Every stream meter: server-sent events, AWS's frames, JSON arrays and sound."""
    steering, stream = split(data, 5)
    endpoint, hide = STREAMS[steering[0] % len(STREAMS)], bool(steering[1] & 1)
    stream = _framed(stream) if steering[1] & 2 else stream
    whole = _metered(endpoint.stream(hide_usage=hide), [stream] if stream else [])
    apart = _metered(endpoint.stream(hide_usage=hide), pieces(stream, steering[2:]))
    check(whole == apart, f"{endpoint.name} depends on how the stream is split: {whole!r} and {apart!r}")
    if not hide:
        check(whole[0] == stream, f"{endpoint.name} changes bytes that it should pass")


def _framed(data: bytes) -> bytes:
    """Frames with right checksums, of which the data gives headers and payloads: chance would never find one."""
    frames = []
    for part in data.split(b"\xff\xff"):
        size = part[0] if part else 0
        headers, payload = part[1 : 1 + size], part[1 + size :]
        prelude = (len(headers) + len(payload) + 16).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
        frame = prelude + zlib.crc32(prelude).to_bytes(4, "big") + headers + payload
        frames.append(frame + zlib.crc32(frame).to_bytes(4, "big"))
    return b"".join(frames)


def aws_frames(data: bytes) -> None:
    steering, stream = split(data, 4)
    stream = _framed(stream) if steering[0] & 1 else stream

    def read(parts: Iterable[bytes]) -> tuple[list[object], bool, int]:
        parser, found, size = EventStream(), list[object](), 0
        try:
            for part in parts:
                for event in parser.feed(part):
                    found.append(event)
                    size += event.size
        except BrokenFramesError:
            return found, True, size
        check(size + len(parser.waiting) == len(stream), "bytes of the stream were lost")
        return found, False, size

    check(read([stream]) == read(pieces(stream, steering[1:])), "the frames depend on how the stream is split")


def json_array(data: bytes) -> None:
    steering, stream = split(data, 4)
    limit = steering[0] * 16
    whole, parser = list(JsonArray(limit).feed(stream)), JsonArray(limit)
    apart = [found for part in pieces(stream, steering[1:]) for found in parser.feed(part)]
    check(whole == apart, "the objects depend on how the stream is split")
    check(all(len(found) <= limit for found in whole), "an object above the limit was kept")
    try:
        read = json.loads(stream)
    except (ValueError, RecursionError):
        return
    if isinstance(read, list) and limit > len(stream) and all(isinstance(item, dict) for item in read):
        check([json.loads(found) for found in whole] == read, "the objects are not those of the array")


def answer_report(data: bytes) -> None:
    """Usage in whole answers: no exception, and quantities only."""
    steering, body = split(data, 1)
    endpoint = STREAMS[steering[0] % len(STREAMS)]
    report = endpoint.report(body)
    if report is not None:
        _check_meters(report.meters)


def answer_class(data: bytes) -> None:
    """Whether an answer is a result or an error, whatever its status: no exception, and a code of a fixed list."""
    steering, body = split(data, 2)
    endpoint = None if steering[0] & 1 else STREAMS[steering[0] % len(STREAMS)]
    status = (200, 201, 204, 302, 400, 401, 429, 500, 529, 999)[steering[1] % 10]
    found = classify(status, [("content-type", "application/json")], body, endpoint)
    check(found.error is None or found.error in CODES, f"the code {found.error!r}")
    check(found.error is not None or status < 300, "an error status without an error")


CODES = frozenset(error.value for error in ProviderError)


def batch_lines(data: bytes) -> None:
    """Requests, progress and results of batches."""
    steering, body = split(data, 4)
    endpoint = ENDPOINTS["chat_completions"]

    def lines(parts: Iterable[bytes]) -> list[bytes]:
        held, found = bytearray(), list[bytes]()
        for part in parts:
            found += batches.lines_of(held, part)
        return [*found, bytes(held).strip()]

    whole = lines([body])
    check(whole == lines(pieces(body, steering[1:])), "the lines depend on how they are split")
    for line in whole:
        outcome = batches.read_outcome(line)
        check(outcome is None or 100 <= outcome.status_code <= 599, "a status that is none")
        try:
            batches.read_line(line, endpoint)
        except RefusedError:
            pass
    batches.read_progress(body)


def realtime_event(data: bytes) -> None:
    event = read_server_event(data)
    check(isinstance(event.kind, str), "an event without a kind")
    meter = ResponseMeter()
    meter.feed(data)
    if meter.report is not None:
        _check_meters(meter.report.meters)
    try:
        read_event(data, "model", "upstream")
    except RefusedError:
        pass


# Requests of clients


def json_members(data: bytes) -> None:
    """Members of a body: what is read is what any other parser reads, and a change of one member changes no other."""
    watched = SHARED | {"input"}
    try:
        members = read_fields(data, watched)
        model = members.text("model")
    except RefusedError:
        return
    changed = members.replaced({"model": b'"other"'})
    try:
        read = json.loads(data, parse_constant=_no_constant)
        again = json.loads(changed)
    except RecursionError:
        return
    check(read.get("model") == model, "another parser reads another model")
    check(again == {**read, "model": "other"}, "a change of one member changed another")


def _no_constant(text: str) -> object:
    raise FindingError(f"{text} was accepted")


READERS = tuple(endpoint for endpoint in ENDPOINTS.values() if endpoint.form_fields is None)


def endpoint_request(data: bytes) -> None:
    """What each endpoint reads of a request, and what it says after the model's name was changed in it."""
    steering, body = split(data, 1)
    endpoint = READERS[steering[0] % len(READERS)]
    try:
        spec = endpoint.read(body)
    except RefusedError:
        return
    check(spec.choices >= 1, "fewer than one choice")
    check(spec.max_output_tokens is None or spec.max_output_tokens >= 0, "an output limit below zero")
    check(spec.max_output_tokens is None or spec.max_output_tokens < 2**63, "an output limit that fits nowhere")
    check(all(number >= 0 for number in (*spec.calls.values(), *spec.counted.values())), "fewer calls than none")
    changed = endpoint.rewrite(body, model="other", max_output_tokens=None, ask_usage=False)
    if endpoint.family == "gemini":
        return  # the path names the model
    again = endpoint.read(changed)
    check(again.model == "other", "the model was not changed")
    for name in ("stream", "max_output_tokens", "choices", "service_tier", "wants_usage"):
        check(getattr(again, name) == getattr(spec, name), f"a change of the model changed {name}")


FORMS = tuple(endpoint for endpoint in ENDPOINTS.values() if endpoint.form_fields is not None)
BOUNDARY = b"softix"


def form(data: bytes) -> None:
    steering, body = split(data, 4)
    endpoint = FORMS[steering[0] % len(FORMS)]
    watched = endpoint.form_fields or frozenset()

    def read(parts: Iterable[bytes]) -> object:
        parser = MultipartForm(BOUNDARY, watched)
        try:
            for part in parts:
                parser.feed(part)
        except RefusedError:
            return None
        return parser.texts, parser.has_file, parser.complete

    whole = read([body] if body else [])
    check(whole == read(pieces(body, steering[1:])), "the form depends on how it is split")
    if whole is not None:
        texts, _, _ = whole  # type: ignore[misc]
        for text in texts.values():
            check(body[text.start : text.start + len(text.value)] == text.value, "a text is not where it is said to be")
    try:
        endpoint.read(body)
        FormFields(body, watched).with_text("model", "other")
    except RefusedError:
        pass
    try:
        boundary_of(body.decode("latin-1"))
    except RefusedError:
        pass


PAIRS = tuple(
    (client, provider)
    for client in ENDPOINTS
    for provider in PROVIDER_ENDPOINTS
    if translation(client, provider, id="0a", now_s=1) is not None
)


def translated(data: bytes) -> None:
    """A request and its answer, translated between each two dialects."""
    steering, rest = split(data, 6)
    client, provider = PAIRS[steering[0] % len(PAIRS)]
    asked, _, answered = rest.partition(b"\n\n\n")
    found = translation(client, provider, id="0a", now_s=1, array=bool(steering[1] & 1))
    if found is None:
        raise FindingError("no translation")
    try:
        ENDPOINTS[client].read(asked)  # nothing else is translated
        done = found.request(asked, WriteOptions(model="m", most_output_tokens=100))
    except RefusedError:
        return
    check(isinstance(json.loads(done.body), dict), "a translated request that is no object")
    try:
        found.answer(answered)
    except RefusedError:
        pass
    found.error(400, answered)
    _translated_stream(found, answered, steering[2:])


def _translated_stream(found: Any, answered: bytes, sizes: bytes) -> None:
    streams = [found.stream(), found.stream()]
    try:
        whole = streams[0].feed(answered) + streams[0].end()
        apart = b"".join([streams[1].feed(part) for part in pieces(answered, sizes)]) + streams[1].end()
    except (RefusedError, BrokenFramesError):
        return
    check(whole == apart, f"a translated stream depends on how it is split: {whole!r} and {apart!r}")


def request_path(data: bytes) -> None:
    path = path_syntax.read(data.decode("latin-1"))
    check(not {".", ".."} & set(path.parts), "a part that leads elsewhere")


# Files of operators


def bill(data: bytes) -> None:
    steering, content = split(data, 1)
    form = ("auto", *formats.KINDS)[steering[0] % (len(formats.KINDS) + 1)]
    try:
        found = formats.read(BufferedReader(BytesIO(content)), "bill", form, BillMapping())  # type: ignore[arg-type]
        for number, line in enumerate(found.lines):
            check(line is None or line.day >= 0, "a day before all days")
            if number > 10_000:
                break
    except BadInputError as error:
        _check_message(error)


def bill_mapping(data: bytes) -> None:
    try:
        mapping.read(BytesIO(data), "mapping")
    except BadInputError as error:
        _check_message(error)


def prices(data: bytes) -> None:
    steering, content = split(data, 1)
    try:
        for row in price_list.read(content, "list.json" if steering[0] & 1 else "list.csv"):
            check(row.model, "a price of no model")
    except BadInputError as error:
        _check_message(error)


def _check_message(error: BadInputError) -> None:
    check(error.message and len(error.message) < 1000, "a message that nobody can read")
    check(error.message.isprintable(), f"a message that writes to the terminal: {error.message!r}")


TARGETS: Mapping[str, Target] = {
    "answer_class": answer_class,
    "answer_report": answer_report,
    "aws_frames": aws_frames,
    "batch_lines": batch_lines,
    "bill": bill,
    "bill_mapping": bill_mapping,
    "endpoint_request": endpoint_request,
    "form": form,
    "json_array": json_array,
    "json_members": json_members,
    "prices": prices,
    "realtime_event": realtime_event,
    "request_path": request_path,
    "stream_meter": stream_meter,
    "translated": translated,
}
