from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from softix_proxy.dialects.translate.canonical import (
    CanonicalAnswer,
    CanonicalEvent,
    CanonicalRequest,
    Occasion,
    Setting,
)
from softix_proxy.dialects.translate.fold import fold
from softix_proxy.dialects.translate.framing import Framer
from softix_proxy.dialects.translate.losses import losses
from softix_proxy.dialects.translate.table import DIALECTS, PROVIDERS

OTHER = {name: next(other for other in DIALECTS if other != name) for name in DIALECTS}


@pytest.fixture
def reading() -> Callable[..., tuple[CanonicalRequest, list[str]]]:
    """A request as a dialect reads it, and what was lost by it."""

    def read(dialect: str, **fields: Any) -> tuple[CanonicalRequest, list[str]]:
        lost, _ = losses(dialect, OTHER[dialect])
        return DIALECTS[dialect].read_request(fields, lost), list(lost.found)

    return read


@pytest.fixture
def writing() -> Callable[..., tuple[dict[str, Any], list[str]]]:
    """A request as a dialect writes it, and what was lost by it."""

    def write(
        dialect: str, model: str = "m", most: int | None = None, **fields: Any
    ) -> tuple[dict[str, Any], list[str]]:
        _, lost = losses(OTHER.get(dialect, "messages"), dialect)
        request = CanonicalRequest(model="asked", **{"turns": [], **fields})
        setting = Setting(model=model, most_output_tokens=most)
        return PROVIDERS[dialect].write_request(request, setting, lost), list(lost.found)

    return write


@pytest.fixture
def occasion() -> Occasion:
    return Occasion(request=CanonicalRequest(model="asked", turns=[]), id="0a1b", now_s=1000)


@pytest.fixture
def heard() -> Callable[..., CanonicalAnswer]:
    """What a dialect's reader makes of the objects of a stream."""

    def read(dialect: str, *objects: dict[str, Any]) -> CanonicalAnswer:
        reader = PROVIDERS[dialect].reader()
        return fold([event for found in objects for event in reader.read(found)] + list(reader.end()))

    return read


@pytest.fixture
def spoken(occasion: Occasion) -> Callable[..., list[dict[str, Any]]]:
    """The objects of the stream that a dialect writes of some events."""

    def write(dialect: str, *events: CanonicalEvent) -> list[dict[str, Any]]:
        writer, framer = DIALECTS[dialect].writer(occasion), Framer()
        return list(framer.feed(b"".join(writer.write(event) for event in events)))

    return write


def as_json(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))
