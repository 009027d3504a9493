import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.telemetry import logs

CANARY = "canary-of-a-prompt"
Read = Callable[[], str]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("softix")
    before = root.handlers[:], root.level, own.level, logging.raiseExceptions
    yield
    root.handlers[:], level, own_level, logging.raiseExceptions = before
    root.setLevel(level)
    own.setLevel(own_level)


@pytest.fixture
def read(capsys: pytest.CaptureFixture[str]) -> Read:
    return lambda: capsys.readouterr().err


def raise_canary() -> None:
    try:
        b"\xff".decode() + CANARY
    except UnicodeDecodeError:
        raise ValueError(CANARY) from None


@pytest.mark.parametrize("style", ["json", "text"])
def test_logged_exception_has_its_class_and_place_but_not_its_text(read: Read, style: Literal["json", "text"]) -> None:
    logs.set_up("info", style)
    try:
        raise_canary()
    except ValueError:
        logging.getLogger("softix.web").exception("a request failed", extra={"request_id": "req_1", "prompt": CANARY})
    written = read()
    assert CANARY not in written and "Traceback" not in written
    assert "ValueError" in written and "test_logs.py:" in written and "req_1" in written


@pytest.mark.parametrize("style", ["json", "text"])
def test_library_log_record_is_written_without_its_message(read: Read, style: Literal["json", "text"]) -> None:
    logs.set_up("debug", style)
    logging.getLogger("aiohttp.server").error("Error handling request %s", CANARY, extra={"headers": CANARY})
    logging.getLogger("asyncio").warning(CANARY)
    logging.getLogger("softixx").error(CANARY)
    written = read()
    assert CANARY not in written and len(written.splitlines()) == 3
    assert "aiohttp.server" in written and "asyncio" in written


def test_json_log_line_has_its_fields(read: Read) -> None:
    logs.set_up("info", "json")
    logging.getLogger("softix.storage").warning("closed %d", 3, extra={"count": 3})
    [line] = read().splitlines()
    fields = json.loads(line)
    assert fields.pop("at").endswith("Z")
    assert fields == {"level": "warning", "logger": "softix.storage", "event": "closed 3", "count": 3}


def test_text_log_line_has_its_fields(read: Read) -> None:
    logs.set_up("info", "text")
    logging.getLogger("softix.storage").warning("closed some", extra={"count": 3})
    [line] = read().splitlines()
    assert line.endswith("warning closed some logger=softix.storage count=3")


def test_log_level_leaves_out_lower_records(read: Read) -> None:
    logs.set_up("warning", "text")
    logging.getLogger("softix").info("no")
    logging.getLogger("aiohttp").info("no")
    logging.getLogger("softix").warning("yes")
    assert read().count("\n") == 1


def test_log_record_that_cannot_be_formatted_is_not_quoted(read: Read) -> None:
    logs.set_up("info", "text")
    logging.getLogger("softix").warning("%d", CANARY)
    assert CANARY not in read()


def test_log_file_is_private_and_opened_anew(read: Read, tmp_path: Path) -> None:
    place, log = tmp_path / "softix.log", logging.getLogger("softix.web")
    logs.set_up("info", "json", place)
    log.info("first")
    first = place.rename(tmp_path / "softix.log.1")
    stream = logging.getLogger().handlers[0].stream  # type: ignore[attr-defined]
    log.info("second")
    logs.set_up("info", "json", place)
    log.info("third")
    assert [json.loads(line)["event"] for line in first.read_text().splitlines()] == ["first", "second"]
    assert json.loads(place.read_text())["event"] == "third"
    assert place.stat().st_mode & 0o777 == 0o600 and stream.closed and read() == ""
    logs.set_up("info", "json")
    log.info("fourth")
    assert "fourth" in read() and "fourth" not in place.read_text()


def test_log_file_that_cannot_be_written_leaves_the_log_unchanged(read: Read, tmp_path: Path) -> None:
    logs.set_up("info", "json")
    with pytest.raises(FailureError, match="cannot write the log") as failure:
        logs.set_up("debug", "text", tmp_path / "none" / "softix.log")
    assert "log.file" in failure.value.remedy
    logging.getLogger("softix").info("it goes on")
    assert json.loads(read())["event"] == "it goes on"
