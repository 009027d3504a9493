"""Makes `softix_proxy/data/answers.json`: the schemas of what commands print with `--json`.

They are derived from what the tests have seen. So run the tests of commands first, and read the difference:

ANSWERS_LOG=build/answers.jsonl pytest tests/unit/cli tests/security/test_admin_api_surface.py
python scripts/make_answers.py build/answers.jsonl
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parents[1] / "softix_proxy" / "data" / "answers.json"
_FIELD = re.compile(r"[a-z][a-z0-9_]*")
_SCALARS = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
_ORDER = ("object", "array", "string", "boolean", "integer", "number", "null")


class Seen:
    """All values that were seen at one place of an answer."""

    def __init__(self) -> None:
        self.types: set[str] = set()
        self.items: Seen | None = None
        self.fields: dict[str, Seen] = {}
        self.always: set[str] | None = None
        """The fields that every object had."""

    def add(self, value: Any) -> None:
        if isinstance(value, dict):
            self.types.add("object")
            self.always = value.keys() if self.always is None else self.always & value.keys()
            for name, each in value.items():
                self.fields.setdefault(name, Seen()).add(each)
        elif isinstance(value, list):
            self.types.add("array")
            self.items = self.items or Seen()
            for each in value:
                self.items.add(each)
        else:
            self.types.add(_SCALARS[type(value)])

    def add_schema(self, schema: dict[str, Any]) -> None:
        """Adds what an earlier schema allows, so that a run of some tests takes nothing away."""
        kinds = schema.get("type", [])
        self.types |= {kinds} if isinstance(kinds, str) else set(kinds)
        if "items" in schema:
            self.items = self.items or Seen()
            self.items.add_schema(schema["items"])
        for name, each in schema.get("properties", {}).items():
            self.fields.setdefault(name, Seen()).add_schema(each)
        if "properties" in schema:
            needed = set(schema.get("required", []))
            self.always = needed if self.always is None else self.always & needed
        if "additionalProperties" in schema:
            self.always = set()
            self.fields.setdefault("*", Seen()).add_schema(schema["additionalProperties"])

    @property
    def is_map(self) -> bool:
        """Whether the names are data: of models, or of kinds that were counted."""
        return any(not _FIELD.fullmatch(name) for name in self.fields)

    def schema(self) -> dict[str, Any]:
        types = self.types - ({"integer"} if "number" in self.types else set())
        if types & {"string", "integer", "number"}:
            types |= {"null"}  # what is not set is null, whether or not a test has seen it
        listed = [each for each in _ORDER if each in types] if types != {"null"} else []
        told: dict[str, Any] = {} if not listed else {"type": listed[0] if len(listed) == 1 else listed}
        if self.items is not None:
            told["items"] = self.items.schema()
        if self.is_map:
            whole = Seen()
            for each in self.fields.values():
                whole.add_schema(each.schema())
            told["additionalProperties"] = whole.schema()
        elif self.fields:
            told["properties"] = {name: self.fields[name].schema() for name in sorted(self.fields)}
            told["required"] = sorted(self.always or ())
        return told


def main() -> int:
    logs = sys.argv[1:]
    if not logs:
        print(__doc__)
        return 2
    seen: dict[str, Seen] = {}
    if PLACE.is_file():
        for operation, schema in json.loads(PLACE.read_text("utf-8")).items():
            seen.setdefault(operation, Seen()).add_schema(schema)
    for log in logs:
        for line in Path(log).read_text("utf-8").splitlines():
            operation, value = json.loads(line)
            seen.setdefault(operation, Seen()).add(value)
    made = {operation: seen[operation].schema() for operation in sorted(seen)}
    PLACE.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"written: {len(made)} answers")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
