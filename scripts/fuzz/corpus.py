"""What each target begins with: recorded traffic of the golden tests, and inputs of the past that taught something."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from scripts.fuzz import targets

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
KEPT = ROOT / "tests" / "security" / "corpus"
"""A folder for each target. A file holds one input as a literal of Python, so that people can read it."""
_MOST_SEED_BYTES = 4 * 1024


def _files(pattern: str) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(GOLDEN.glob(pattern)):
        data = path.read_bytes()
        if len(data) <= _MOST_SEED_BYTES:
            yield path, data


def _streams() -> Iterator[bytes]:
    """A stream or an answer, for the endpoint of its folder."""
    numbers = {endpoint.name: number for number, endpoint in enumerate(targets.STREAMS)}
    for path, data in (*_files("*/*.sse"), *_files("*/*.answer.*"), *_files("translate/*/*.sse")):
        if (number := numbers.get(path.parent.name)) is not None:
            for flags in (b"\0", b"\1"):
                yield bytes((number,)) + flags + b"\x02\x11\x07" + data
    for number in range(len(targets.STREAMS)):
        yield (
            bytes((number,))
            + b"\2\3\1\7"
            + _event(b"event", b"metadata", b'{"usage":{"inputTokens":1,"outputTokens":2}}')
        )


def _event(kind: bytes, name: bytes, payload: bytes) -> bytes:
    """The headers and payload of one of AWS's frames, as the target frames them."""
    fields = ((b":message-type", kind), (b":event-type", name), (b":content-type", b"application/json"))
    headers = b"".join(
        bytes((len(field),)) + field + b"\7" + len(value).to_bytes(2, "big") + value for field, value in fields
    )
    return bytes((len(headers),)) + headers + payload


def _answers() -> Iterator[bytes]:
    numbers = {endpoint.name: number for number, endpoint in enumerate(targets.STREAMS)}
    for path, data in _files("*/*.answer.json"):
        if (number := numbers.get(path.parent.name)) is not None:
            yield bytes((number,)) + data


def _classes() -> Iterator[bytes]:
    for number, data in enumerate(_answers()):
        yield data[:1] + bytes((number,)) + data[1:]


def _requests() -> Iterator[bytes]:
    numbers = {endpoint.name: number for number, endpoint in enumerate(targets.READERS)}
    for path, data in _files("*/*.request.json"):
        if (number := numbers.get(path.parent.name)) is not None:
            yield bytes((number,)) + data


def _bodies() -> Iterator[bytes]:
    yield from (data for _, data in _files("*/*.request.json"))


def _forms() -> Iterator[bytes]:
    for number in range(len(targets.FORMS)):
        for _, data in _files("*/*.request.form"):
            delimiter = data.partition(b"\r\n")[0].removeprefix(b"--")
            yield bytes((number, 3, 17, 1)) + data.replace(delimiter, targets.BOUNDARY)


def _translations() -> Iterator[bytes]:
    """A request of the client's dialect, and a stream or an answer of the provider's."""
    asked = {path.parent.name: data for path, data in _files("*/*.request.json")}
    answered: dict[str, list[bytes]] = {}
    for path, data in (*_files("translate/*/*.sse"), *_files("translate/*/*.json"), *_files("*/*.answer.json")):
        answered.setdefault(path.parent.name, []).append(data)
    for number, (client, provider) in enumerate(targets.PAIRS):
        for data in answered.get(provider, [b"{}"])[:6]:
            yield bytes((number, 0, 5, 40, 1, 9)) + asked.get(client, b"{}") + b"\n\n\n" + data


def _bills() -> Iterator[bytes]:
    for _, data in (
        *_files("reconcile/*.csv"),
        *_files("reconcile/*.json"),
        *_files("reconcile/*.gz"),
        *_files("reconcile/*.zip"),
    ):
        yield from (b"\0" + data, b"\1" + data)


def _frames() -> Iterator[bytes]:
    yield (
        b"\1\3\1\7"
        + _event(b"event", b"messageStart", b'{"role":"assistant"}')
        + b"\xff\xff"
        + _event(b"exception", b"", b"{}")
    )


SOURCES: Mapping[str, Callable[[], Iterator[bytes]]] = {
    "answer_class": _classes,
    "answer_report": _answers,
    "aws_frames": _frames,
    "bill": _bills,
    "endpoint_request": _requests,
    "form": _forms,
    "json_members": _bodies,
    "stream_meter": _streams,
    "translated": _translations,
}


def kept(name: str) -> list[bytes]:
    return [ast.literal_eval(path.read_text("utf-8")) for path in sorted((KEPT / name).glob("*.txt"))]


def seeds(name: str) -> list[bytes]:
    """All beginnings of a target, in an order that does not change."""
    made = SOURCES[name]() if name in SOURCES else iter(())
    return list(dict.fromkeys((*kept(name), *made)))
