"""Checks whether others can read or change the private files of this instance."""

from __future__ import annotations

import os
import pwd
import shlex
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning

_ROOT = 0


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    paths = context.settings.paths
    if not paths.data_dir.is_dir():
        yield error(f"there is no folder {paths.data_dir}", "run: softix init; or name another one with --data-dir")
        return
    owner = os.geteuid()
    if owner == _ROOT:  # root manages the instance of the user who owns the folder
        owner = paths.data_dir.stat().st_uid
    keys = [paths.master_key, paths.master_key.with_name(paths.master_key.name + ".next")]
    private = [paths.data_dir, *context.health.files(), *(key for key in keys if key.exists())]
    found = [item for path in private for item in (*_ours(path, {owner}), *_private(path))]
    if paths.config is not None:
        commands = "master_key.command" in context.settings.from_file
        found += [*_ours(paths.config, {owner, _ROOT}), *_readable(paths.config, secret=commands)]
    for item in found:
        yield item
    if not found:
        yield ok("folder, database, master key and configuration are this user's alone")


def _ours(path: Path, owners: set[int]) -> Iterator[Observation]:
    actual = path.stat().st_uid
    if actual not in owners:
        name = _user_name(max(owners))
        yield error(f"{path} belongs to {_user_name(actual)}, not to {name}", f"run: chown {name} {_quoted(path)}")


def _private(path: Path) -> Iterator[Observation]:
    status = path.stat()
    others, folder = status.st_mode & 0o077, stat.S_ISDIR(status.st_mode)
    remedy = f"run: chmod {'700' if folder else '600'} {_quoted(path)}"
    if others and not folder:
        yield error(f"others may read {path}" if not others & 0o022 else f"others may change {path}", remedy)
    elif others & 0o022:
        yield error(f"others may change what is in {path}", remedy)
    elif others:
        yield warning(f"others may see which files are in {path}", remedy)


def _readable(path: Path, *, secret: bool) -> Iterator[Observation]:
    """Checks a file that others may read. With `secret` it names a command, whose arguments may be confidential."""
    others = path.stat().st_mode & 0o077
    if others & 0o022:
        yield error(f"others may change {path}", f"run: chmod go-w {_quoted(path)}")
    elif secret and others & 0o007:
        yield warning(f"everyone may read master_key.command in {path}", f"run: chmod o-rwx {_quoted(path)}")


def _user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
