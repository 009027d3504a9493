"""The targets by their names."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.fuzz import responses, targets
from scripts.fuzz.targets import Target

TARGETS: Mapping[str, Target] = {**targets.TARGETS, "provider_response": responses.provider_response}
