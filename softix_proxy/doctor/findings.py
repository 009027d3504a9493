"""The results of checks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    """Requests, money or secrets are at risk now."""


class Observation(NamedTuple):
    """One thing that a check looked at. It contains no secret, and nothing that an outsider wrote."""

    severity: Severity
    message: str
    remedy: str = ""
    """The remedy. It is empty if none is needed."""


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    severity: Severity
    message: str
    remedy: str


def ok(message: str) -> Observation:
    return Observation(Severity.OK, message)


def warning(message: str, remedy: str) -> Observation:
    return Observation(Severity.WARNING, message, remedy)


def error(message: str, remedy: str) -> Observation:
    return Observation(Severity.ERROR, message, remedy)
