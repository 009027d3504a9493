"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    """Requests, money or secrets are at stake now."""


class Observation(NamedTuple):
    """One thing that a check looked at. Nothing of a secret, nor what an outsider wrote, is in it."""

    severity: Severity
    message: str
    remedy: str = ""
    """What to do; empty where nothing is."""


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
