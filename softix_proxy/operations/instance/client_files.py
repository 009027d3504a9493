"""Edits the settings files of other programs in place. Everything else in them stays as it was, comments included."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence
from typing import Any, Literal

from softix_proxy.domain.core.errors import ConflictError

FileSyntax = Literal["json", "toml", "yaml", "env"]
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")


def changed(form: FileSyntax, text: str, changes: Mapping[str, Any]) -> str:
    """Returns `text` with these values set. An empty text makes a new file.

    Tables are merged. Entries of a list with the same `name` are replaced, and others are added. Raises ConflictError
    if the text cannot be read or has something else where a table belongs.
    """
    return _FORMS[form](text, changes)


def _merge(document: MutableMapping[str, Any], changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        present = document.get(name)
        if isinstance(value, Mapping) and present is not None:
            if not isinstance(present, MutableMapping):
                raise ConflictError(f"the file has another {name}", "mend it by hand, or name another with --file")
            _merge(present, value)
        elif isinstance(value, list) and isinstance(present, MutableSequence):
            for entry in value:
                _put(present, entry)
        else:
            document[name] = value


def _put(entries: MutableSequence[Any], entry: Mapping[str, Any]) -> None:
    for number, other in enumerate(entries):
        if isinstance(other, Mapping) and other.get("name") == entry["name"]:
            entries[number] = entry
            return
    entries.append(entry)


def _unreadable(what: str) -> ConflictError:
    return ConflictError(f"the file is not {what}", "mend it by hand, or name another with --file")


def _json(text: str, changes: Mapping[str, Any]) -> str:
    try:
        document = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _unreadable("a JSON object")
    _merge(document, changes)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _toml(text: str, changes: Mapping[str, Any]) -> str:
    import tomlkit
    from tomlkit.exceptions import ParseError

    try:
        document = tomlkit.parse(text)
    except ParseError:
        raise _unreadable("TOML") from None
    _merge(document, changes)
    return tomlkit.dumps(document)


def _yaml(text: str, changes: Mapping[str, Any]) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    try:
        document = yaml.load(text)
    except YAMLError:
        raise _unreadable("YAML") from None
    if document is None:
        document = yaml.map()
    if not isinstance(document, MutableMapping):
        raise _unreadable("a YAML mapping")
    _merge(document, changes)
    written = io.StringIO()
    yaml.dump(document, written)
    return written.getvalue()


def _env(text: str, changes: Mapping[str, Any]) -> str:
    left = dict(changes)
    lines = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None or match[1] not in changes:
            lines.append(line)
        elif match[1] in left:
            lines.append(f"{line[: match.end()]}{left.pop(match[1])}")
    lines += [f"{name}={value}" for name, value in left.items()]
    return "\n".join(lines) + "\n"


_FORMS: Mapping[FileSyntax, Callable[[str, Mapping[str, Any]], str]] = {
    "json": _json,
    "toml": _toml,
    "yaml": _yaml,
    "env": _env,
}
