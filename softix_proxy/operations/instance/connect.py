"""Connects a client program to softix: makes its settings, and changes its settings file or restores it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError
from softix_proxy.domain.core.os_faults import remedy_of
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.operations.catalog.models import NOBODY
from softix_proxy.operations.instance.client_files import FileSyntax, changed
from softix_proxy.operations.instance.no_follow import no_follow_folder

BACKUP = ".before-softix"
"""The suffix of the backup, which is the file as it was. The backup is empty if there was no file."""
_MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ClientAccess:
    """The data that a client needs to connect."""

    base_url: str
    """The URL of softix without `/v1`."""
    key: str = field(repr=False)
    model: str | None = None
    searches: bool = True
    """Whether the model's web searches can be charged, so that a client may offer them."""


@dataclass(frozen=True, slots=True)
class ClientProgram:
    title: str
    settings: Callable[[ClientAccess], Mapping[str, Any]]
    form: FileSyntax
    """The syntax of the settings file.

    For a client without a file, it is the syntax in which the settings are shown.
    """
    place: tuple[str, ...] = ()
    """The path of the file below the home directory. It is empty if there is no file that a program may write."""
    here: bool = False
    """Whether the file is in the current directory."""
    needs_model: bool = False
    fresh: Mapping[str, Any] = field(default_factory=dict)
    """The further settings of a new file."""
    hint: str = ""


def _claude_code(access: ClientAccess) -> Mapping[str, Any]:
    names = {"ANTHROPIC_BASE_URL": access.base_url, "ANTHROPIC_AUTH_TOKEN": access.key}
    return {"env": names | ({"ANTHROPIC_MODEL": access.model} if access.model else {})}


def _codex(access: ClientAccess) -> Mapping[str, Any]:
    provider = {
        "name": "softix",
        "base_url": f"{access.base_url}/v1",
        "experimental_bearer_token": access.key,
        "wire_api": "responses",
    }
    told = {"model": access.model} if access.model else {}
    if not access.searches:  # Codex offers searches in each request, and such a request would be refused
        told["web_search"] = "disabled"
    return {**told, "model_provider": "softix", "model_providers": {"softix": provider}}


def _openai(access: ClientAccess) -> Mapping[str, Any]:
    return {"OPENAI_BASE_URL": f"{access.base_url}/v1", "OPENAI_API_KEY": access.key}


def _continue(access: ClientAccess) -> Mapping[str, Any]:
    model = {
        "name": f"softix {access.model}",
        "provider": "openai",
        "model": access.model,
        "apiBase": f"{access.base_url}/v1",
        "apiKey": access.key,
    }
    return {"models": [model]}


CLIENTS: Mapping[str, ClientProgram] = {
    "claude-code": ClientProgram("Claude Code", _claude_code, "json", (".claude", "settings.json")),
    "codex": ClientProgram("Codex", _codex, "toml", (".codex", "config.toml")),
    "openai": ClientProgram("programs with OpenAI's SDK", _openai, "env", (".env",), here=True),
    "cursor": ClientProgram(
        "Cursor",
        _openai,
        "env",
        hint="Cursor keeps this in a database of its own. Under Settings, Models, API Keys, set the OpenAI API key and"
        " override the base URL. Cursor's servers make the requests, so softix has to be reached from there.",
    ),
    "continue": ClientProgram(
        "Continue",
        _continue,
        "yaml",
        (".continue", "config.yaml"),
        needs_model=True,
        fresh={"name": "Local", "version": "0.0.1", "schema": "v1"},
    ),
}


@dataclass(frozen=True, slots=True)
class WrittenFile:
    file: Path
    backup: Path


async def can_search(storage: Storage, model: str | None) -> bool:
    """Returns False if the model is known and its web searches have no price."""
    directory = Directory()
    directory.apply(await storage.changes(0))
    found = directory.route(model) if model else None
    now_us = storage.reading().clock.now_us()
    rates = [directory.rate(NOBODY, leg.model_id, now_us) for leg in found.legs] if found else []
    return all(rate is not None and rate.has_price("web_search_calls") for rate in rates)


def settings_text(client: ClientProgram, access: ClientAccess) -> str:
    """Returns only softix's settings, as they appear in the client's file."""
    return changed(client.form, "", client.settings(access))


def changed_text(client: ClientProgram, access: ClientAccess, file: Path) -> str:
    """Returns the text that `write` would write. Raises the same errors."""
    return _changed(client, access, _decoded(file, _read(file)))


def _changed(client: ClientProgram, access: ClientAccess, before: str) -> str:
    settings = client.settings(access)
    return changed(client.form, before, settings if before else {**client.fresh, **settings})


def file_of(client: ClientProgram, asked: Path | None, home: Path) -> Path:
    """Returns the client's settings file. Raises BadInputError if there is none."""
    if asked is not None:
        return asked
    if not client.place:
        raise BadInputError(f"{client.title} has no file that could be written", client.hint)
    return (Path() if client.here else home).joinpath(*client.place)


def write(client: ClientProgram, access: ClientAccess, file: Path) -> WrittenFile:
    """Changes the file in one step, and keeps a backup before the first change. Only the owner may read it.

    It follows no link, because a link could lead to somebody else's file.

    Raises FailureError if the file cannot be read or written. Raises ConflictError if its content is not as expected.
    """
    backup = file.with_name(file.name + BACKUP)
    try:
        with no_follow_folder(file.parent, make=True) as folder:
            before = folder.read(file.name, _MOST_BYTES)
            text = _changed(client, access, _decoded(file, before))
            if folder.read(backup.name, _MOST_BYTES) is None:
                folder.replace(backup.name, before or b"")
            folder.replace(file.name, text.encode())
    except OSError as error:
        raise FailureError(
            f"cannot write {file}: {error.strerror}", remedy_of(error, "name another with --file")
        ) from None
    return WrittenFile(file, backup)


def undo(file: Path) -> WrittenFile:
    """Restores the backup.

    Raises ConflictError if nothing was written there, and FailureError if the file cannot be restored.
    """
    backup = file.with_name(file.name + BACKUP)
    if _read(backup) is None:
        raise ConflictError(f"there is no {backup}", "nothing was written there, or it was put back already")
    try:
        with no_follow_folder(file.parent) as folder:
            if before := folder.read(backup.name, _MOST_BYTES):
                folder.replace(file.name, before)
            else:
                folder.remove(file.name)
            folder.remove(backup.name)
    except OSError as error:
        raise FailureError(f"cannot put back {file}: {error.strerror}", f"it is in {backup}") from None
    return WrittenFile(file, backup)


def _read(file: Path) -> bytes | None:
    try:
        with no_follow_folder(file.parent) as folder:
            return folder.read(file.name, _MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FailureError(
            f"cannot read {file}: {error.strerror}", remedy_of(error, "name another with --file")
        ) from None


def _decoded(file: Path, raw: bytes | None) -> str:
    """Returns the text of the file, or an empty one if there is no file. Raises ConflictError."""
    if raw is not None and len(raw) > _MOST_BYTES:
        raise ConflictError(f"{file} is larger than {_MOST_BYTES // 2**20} MiB", "is it the right file?")
    try:
        return (raw or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise ConflictError(f"{file} is not UTF-8 text", "is it the right file?") from None
