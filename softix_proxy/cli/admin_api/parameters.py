"""The parameters of a command as JSON: their schemas, and the arguments that they become."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click

from softix_proxy.cli.admin_api.offered import ALWAYS_YES, FILES, FIXED, LEFT_OUT
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ports.admin_commands import AdminParameter, Json

_GLOBAL: Final = frozenset(("as_json", "config", "data_dir", "as_token", "help"))
_STDIN: Final = "_stdin"
_SECRET_SOURCES: Final = ("_stdin", "_env", "_file")
_TEXT: Final[Json] = {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class CommandParameters:
    """The parameters of one command."""

    operation: str
    all: tuple[AdminParameter, ...]
    _params: Mapping[str, click.Parameter]
    """Name → the parameter of the command."""
    _asks: bool
    """Whether the command asks before it does something."""

    def arguments(self, values: Mapping[str, Any], files: ExitStack) -> tuple[list[str], str]:
        """Returns the arguments of the command, and its standard input. What is in files is written while `files` is
        open. Raises BadInputError for an argument that is missing before one that is given.
        """
        stdin = ""
        options, positions = [*self._fixed()], []
        missing = ""
        for name, param in self._params.items():
            value = values.get(name)
            if isinstance(param, click.Option):
                if value is not None and (param.name or "").endswith(_STDIN):
                    stdin = str(value)
                    value = True
                options += [] if value is None else _option(param, self._written(param, value, files))
            elif value is None or value == []:
                missing = missing or name
            else:
                if missing:
                    raise BadInputError(f"{name} needs {missing}", f"give {missing} too, or leave out {name}")
                written = self._written(param, value, files)
                positions += [_text(each) for each in (written if isinstance(written, list) else [written])]
        return [*options, "--", *positions], stdin

    def _fixed(self) -> Iterator[str]:
        if self._asks:
            yield f"--{ALWAYS_YES}"
        for name in FIXED.get(self.operation, ()):
            yield f"--{name}"

    def _written(self, param: click.Parameter, value: Any, files: ExitStack) -> Any:
        """Returns the value, or the name of a file with it."""
        if param.name not in FILES.get(self.operation, "").split():
            return value
        folder = Path(files.enter_context(TemporaryDirectory(prefix="softix-")))
        many = value if isinstance(value, list) else [value]
        names = [folder / f"{param.name}-{number}" for number, _ in enumerate(many, 1)]
        for name, content in zip(names, many, strict=True):
            name.write_text(content, "utf-8")
        return [str(name) for name in names] if isinstance(value, list) else str(names[0])


def parameters_of(operation: str, command: click.Command) -> CommandParameters:
    """Returns what a call of the command takes."""
    listed: list[AdminParameter] = []
    params: dict[str, click.Parameter] = {}
    names = {param.name or "" for param in command.params}
    for param in command.params:
        own = param.name or ""
        is_file = own in FILES.get(operation, "").split()
        if own in _GLOBAL | LEFT_OUT or _is_other_source(own, names) or (_names_a_file(param) and not is_file):
            continue
        name = _name(param)
        params[name] = param
        listed.append(AdminParameter(name, _schema(param, is_file=is_file), _help(param), param.required, is_file))
    return CommandParameters(operation, tuple(listed), params, ALWAYS_YES in names)


def _is_other_source(name: str, names: set[str]) -> bool:
    """Returns whether a parameter is a second way to give a secret, which is typed into standard input here."""
    stem = next((name.removesuffix(end) for end in _SECRET_SOURCES[1:] if name.endswith(end)), None)
    return stem is not None and f"{stem}{_STDIN}" in names


def _names_a_file(param: click.Parameter) -> bool:
    return isinstance(param.type, (click.Path, click.File))


def _name(param: click.Parameter) -> str:
    if isinstance(param, click.Argument):
        return param.name or ""
    longest = max((opt for opt in param.opts if opt.startswith("--")), key=len)
    return longest.removeprefix("--").replace("-", "_").removesuffix(_STDIN)


def _help(param: click.Parameter) -> str:
    if not isinstance(param, click.Option):
        return ""
    if (param.name or "").endswith(_STDIN):
        return f"The {(param.name or '').removesuffix(_STDIN)}. No answer has it."
    return re.sub(r"\s+\[default: .*\]$", "", param.help or "")


def _schema(param: click.Parameter, *, is_file: bool) -> Json:
    if (param.name or "").endswith(_STDIN):
        return {**_TEXT, "writeOnly": True}
    if isinstance(param, click.Option) and param.is_flag:
        return {"type": "boolean"}
    one = {"type": "string"} if is_file else _one(param.type)
    if param.multiple if isinstance(param, click.Option) else param.nargs != 1:
        return {"type": "array", "items": one, "maxItems": 100}
    return one


def _one(kind: click.ParamType[Any]) -> Json:
    if isinstance(kind, click.Choice):
        return {"type": "string", "enum": list(kind.choices)}
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        bounds = {"minimum": kind.min, "maximum": kind.max}
        number = "integer" if isinstance(kind, click.IntRange) else "number"
        return {"type": number, **{name: value for name, value in bounds.items() if value is not None}}
    return _TEXT


def _option(param: click.Option, value: Any) -> Sequence[str]:
    longest = max(param.opts, key=len)
    if param.is_flag:
        return [longest] if value else param.secondary_opts[:1]
    return [f"{longest}={_text(each)}" for each in (value if isinstance(value, list) else [value])]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
