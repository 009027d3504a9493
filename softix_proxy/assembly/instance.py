"""An instance for commands: its settings, its books, its vault and the way to its providers."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from softix_proxy import __version__
from softix_proxy.domain.access.roles import Granter
from softix_proxy.domain.accounts.audit import Channel
from softix_proxy.domain.accounts.principals import Principal, os_user
from softix_proxy.domain.core.clock import Clock, SystemClock
from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.domain.core.os_faults import remedy_of

if TYPE_CHECKING:
    from softix_proxy.domain.accounts.federated_identities import OpenIdProvider
    from softix_proxy.domain.catalog.providers import ProviderType
    from softix_proxy.domain.instance.migrations import Migrated, MigrationPlan
    from softix_proxy.domain.ports.storage import Storage
    from softix_proxy.domain.ports.vault import MasterKeys, Vault
    from softix_proxy.domain.privacy.technical_data import CallOrigin
    from softix_proxy.settings import Effective, Settings
    from softix_proxy.storage.sqlite.core.database import Database
    from softix_proxy.storage.sqlite.write_path.journal import SqliteJournal
    from softix_proxy.upstream.client import HttpUpstream
    from softix_proxy.vault.master_key_store import MasterKeyStore


def read_settings(config: Path | None, data_dir: Path | None) -> Settings:
    """Reads the settings from the file, the environment and the defaults. Raises BadInputError."""
    from softix_proxy import settings

    return settings.load(config, data_dir, os.environ)


def terminal_origin() -> CallOrigin:
    """Returns from where this command was run: over SSH, or at the machine itself, which has no address."""
    from softix_proxy.domain.privacy.technical_data import Agent, CallOrigin, checked_address

    client = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    device = {"linux": "Linux", "darwin": "macOS"}.get(sys.platform, "")
    return CallOrigin(checked_address(client), Agent("softix", __version__, device))


def admin_token() -> str | None:
    """Returns the admin token in the environment, or None. Raises BadInputError for an empty one.

    An unset variable of a script would otherwise give every permission.
    """
    token = os.environ.get("SOFTIX_TOKEN")
    if token is not None and not token.strip():
        raise BadInputError("SOFTIX_TOKEN is empty", "unset it, or put an admin token into it")
    return token


def effective_settings(settings: Settings) -> list[Effective]:
    """Returns each value with its source. Secrets are not among them."""
    from softix_proxy.settings import effective

    return list(effective(settings, os.environ))


def is_signed(public_key: str, message: bytes, signature: bytes) -> bool:
    from softix_proxy.vault import signatures

    return signatures.is_signed(public_key, message, signature)


@dataclass
class Instance:
    """An opened instance for commands: its ledger, its vault and its settings."""

    settings: Settings
    storage: Storage
    clock: Clock
    database: Database
    principal: Principal
    """Who runs the command."""

    async def entered(self, operation: str, token: str | None = None) -> Instance:
        """Returns the instance for one operation, whose storage asks for the permission and keeps the audit.

        With an admin token, that acts instead of the user of the operating system. Raises NotPermittedError.
        """
        from softix_proxy.operations.access.door import Door

        door = Door(self.storage, self.principal)
        if token is not None:
            from softix_proxy.operations.access import tokens

            door = await tokens.door(self.storage, await self.vault(), token, Channel.CLI, self.settings.roles.table)
        door = replace(door, origin=terminal_origin())
        return replace(self, storage=await door.enter(operation), principal=door.principal)

    @property
    def granter(self) -> Granter:
        """What whoever runs the command may give to others."""
        return Granter(self.settings.roles.table, self.principal.permissions)

    async def vault(self) -> Vault:
        """Opens the vault with the master key. Raises FailureError if the key is missing or not this instance's."""
        from softix_proxy.operations.instance import instance as instance_operations

        return self.master_keys().open(await instance_operations.require_identity(self.storage.reading()))

    def master_keys(self) -> MasterKeys:
        return master_key_store(self.settings)

    def journal(self) -> AbstractAsyncContextManager[SqliteJournal]:
        """Opens the journal of this process, under a slot of its own. Raises FailureError."""
        from softix_proxy.storage.sqlite.write_path import journal

        return journal.opened(self.database, self.clock)


def master_key_store(settings: Settings) -> MasterKeyStore:
    from softix_proxy.vault.master_key import MasterKeySources
    from softix_proxy.vault.master_key_store import MasterKeyStore

    return MasterKeyStore(MasterKeySources(settings.paths.master_key, settings.master_key.command, os.environ))


@dataclass(frozen=True, slots=True)
class Initialised:
    """An instance that can be served, and what was created for it just now."""

    data_dir: Path
    database: Path
    master_key: str
    """The file of the master key, or a description of its source."""
    made: tuple[str, ...]
    migration_pending: bool = False


async def initialise(settings: Settings) -> Initialised:
    """Creates the data directory, the database and the master key if they are missing. Changes nothing that exists.

    Raises FailureError if the folder is unusable, or the database's master key is missing or another one.
    """
    from softix_proxy.operations.instance import instance as instance_operations
    from softix_proxy.operations.instance import zones
    from softix_proxy.storage.sqlite.core import upgrade

    paths, made = settings.paths, []
    try:
        if not paths.data_dir.is_dir():
            paths.data_dir.mkdir(mode=0o700, parents=True)
            made.append("data_dir")
    except OSError as error:
        remedy = remedy_of(error, "name another place with --data-dir")
        raise FailureError(f"cannot make {paths.data_dir}: {error.strerror}", remedy) from None
    database, key_store, pending = _database(settings), master_key_store(settings), False
    if not paths.database.exists():
        database.create()
        made.append("database")
    elif database.version():
        pending = bool(upgrade.plan(database).steps)
    else:
        database.create()
    if not pending:
        async with open_instance(settings) as instance:
            if await instance_operations.identity(instance.storage.reading()) is not None:
                await instance.vault()
            else:
                if key_store.create():
                    made.append("master_key")
                await instance_operations.record(instance.storage, key_store.new_identity())
                await zones.apply(instance.storage, settings.billing.zone)
    source = key_store.source() or ""
    master_key = str(paths.master_key) if source == "file" else source
    return Initialised(paths.data_dir, paths.database, master_key, tuple(made), pending)


def migration_plan(settings: Settings, backup_dir: Path | None = None) -> MigrationPlan:
    """Returns the pending migrations. Raises FailureError if the database is missing, or too new for this program."""
    from softix_proxy.storage.sqlite.core import upgrade

    return upgrade.plan(_database(settings), backup_dir)


def needs_migration(settings: Settings) -> bool:
    """Returns whether a migration is pending. Raises FailureError if the database is missing, or too new."""
    from softix_proxy.storage.sqlite.core import migrations

    return bool(migrations.pending(_database(settings).version()))


def migrate(settings: Settings, backup_dir: Path | None = None) -> Migrated:
    """Migrates the database. It blocks. Raises FailureError, and then nothing was changed."""
    from softix_proxy.storage.sqlite.core import upgrade

    return upgrade.migrate(_database(settings), backup_dir)


def _database(settings: Settings) -> Database:
    from softix_proxy.storage.sqlite.core.database import Database

    return Database(settings.paths.database, SystemClock(), settings.storage.busy_timeout_ms)


@asynccontextmanager
async def open_instance(settings: Settings) -> AsyncIterator[Instance]:
    """Opens an instance. Raises FailureError if the database is missing, too new, too old, or unreadable."""
    from softix_proxy.storage.sqlite.unit import SqliteStorage

    database = await _database(settings).open()
    try:
        yield Instance(settings, SqliteStorage(database), database.clock, database, os_user(os.getuid()))
    finally:
        await database.close()


def open_id_provider(settings: Settings, clock: Clock) -> OpenIdProvider:
    """Returns the way to OpenID providers. Raises FailureError if the file of certificate authorities is unusable."""
    from softix_proxy.upstream.openid_provider import HttpOpenIdProvider

    return HttpOpenIdProvider(clock, settings.upstream.ca_file)


@asynccontextmanager
async def reaching(
    instance: Instance, vault: Vault, bases: Mapping[ProviderType, str] | None = None
) -> AsyncIterator[HttpUpstream]:
    """Opens the client to providers. `bases` are the addresses of types that have none. Raises FailureError."""
    from softix_proxy.upstream.client import HttpUpstream, UpstreamLimits

    settings = instance.settings
    upstream = HttpUpstream(
        vault, UpstreamLimits.of(settings.upstream), settings.upstream.ca_file, bases, instance.clock
    )
    try:
        yield upstream
    finally:
        await upstream.close()
