"""Reads the file of `softix apply`: TOML or YAML, with a list of things for each section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from softix_proxy.cli.bulk.kinds import KINDS, Entry, Kind
from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.domain.core.toml_text import parse_toml
from softix_proxy.domain.ports.admin_commands import AdminCommand, Json

_MOST_BYTES: Final = 1024 * 1024
_MOST_THINGS: Final = 2_000
"""The most things of one file. They are one transaction, and requests wait for it."""
_STATUS: Final = "status"
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


class Wanted(NamedTuple):
    """One thing of the file."""

    kind: Kind
    entry: Entry
    """Its members, as the parameters of commands have them."""

    @property
    def name(self) -> str:
        return f"{self.kind.section} {self.kind.label(self.entry)}"


def read_document(path: Path, commands: Mapping[str, AdminCommand]) -> Sequence[Wanted]:
    """Returns the things in the order in which they are done. Raises BadInputError and FailureError."""
    sections = _parsed(path)
    known = {kind.section: kind for kind in KINDS}
    for section in sections:
        if section not in known:
            raise BadInputError(f"{path.name} has an unknown section {section!r}", f"it can have: {', '.join(known)}")
    wanted = [
        Wanted(kind, _entry(path, kind, number, each, commands))
        for kind in KINDS
        for number, each in enumerate(_listed(path, kind.section, sections.get(kind.section, [])), 1)
    ]
    if len(wanted) > _MOST_THINGS:
        raise BadInputError(f"{path.name} has {len(wanted):,} things", f"split it: {_MOST_THINGS:,} are done at once")
    seen: set[str] = set()
    for each in wanted:
        if each.name in seen:
            raise BadInputError(f"{path.name} has {each.name} twice", "keep one of them")
        seen.add(each.name)
    return wanted


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FailureError(f"cannot read {path}: {error.strerror}", "name a file that can be read") from None
    if len(content) > _MOST_BYTES:
        raise BadInputError(f"{path.name} is larger than 1 MiB", "split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInputError(f"{path.name} is not UTF-8", "save it as UTF-8") from None
    if path.suffix in (".yaml", ".yml"):
        return _sections(path, _yaml(path, text))
    try:
        return _sections(path, parse_toml(text, path.name, "mend the line"))
    except BadInputError:
        if path.suffix == ".toml":
            raise
        return _sections(path, _yaml(path, text))  # a file without a suffix may be either


def _sections(path: Path, parsed: Any) -> Mapping[str, Any]:
    if not isinstance(parsed, dict):
        raise BadInputError(f"{path.name} has no sections", "begin with [[users]] in TOML, or users: in YAML")
    return parsed


def _yaml(path: Path, text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        raise BadInputError(
            f"{path.name} is not valid YAML" + ("" if line is None else f" at line {line + 1}"), "mend the line"
        ) from None
    except (ValueError, RecursionError):
        raise BadInputError(f"{path.name} is not valid YAML", "write plain lists and values") from None


def _listed(path: Path, section: str, value: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise BadInputError(f"{section} in {path.name} is not a list of things", f"write [[{section}]] before each")
    return value


def _entry(
    path: Path, kind: Kind, number: int, given: Mapping[str, Any], commands: Mapping[str, AdminCommand]
) -> Entry:
    """Returns the members as the commands take them. Raises BadInputError for one that they do not take."""
    where = f"{path.name}, {kind.section} {number}"
    schemas: dict[str, Json] = {
        each.name: each.schema
        for command in filter(None, (kind.changes, kind.makes))
        for each in commands[command].parameters
        if each.name not in ("dry_run", kind.subject) or each.name in kind.names
    }
    if kind.statuses:
        schemas[_STATUS] = {"type": "string", "enum": list(kind.statuses)}
    entry = {}
    for name, value in given.items():
        if name not in schemas:
            raise BadInputError(f"{where}: there is no {name!r}", f"it can have: {', '.join(sorted(schemas))}")
        entry[name] = _value(f"{where}: {name}", value, schemas[name])
    needed = [each.name for each in commands[kind.makes].parameters if each.is_required]
    for name in (*needed, *(("name",) if "name" in kind.names else ())):
        if name not in entry:
            raise BadInputError(f"{where}: {name} is missing", f"add {name}")
    return entry


def _value(where: str, value: Any, schema: Json) -> Any:
    kind = schema["type"]
    if kind == "array":
        return [_value(where, each, schema["items"]) for each in (value if isinstance(value, list) else [value])]
    if kind == "string" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value) or "none"
    if kind == "string" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, _TYPES[kind]) or (kind != "boolean" and isinstance(value, bool)):
        raise BadInputError(f"{where} is not a {kind}", f"write a {kind}")
    if "enum" in schema and value not in schema["enum"]:
        raise BadInputError(f"{where} is none of its values", f"write one of: {', '.join(schema['enum'])}")
    return value
