"""All settings: one frozen dataclass from TOML and environment, parsed once.

A field carries its documentation and its range. Parsing, the example file and the reference are made from them.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from softix_proxy.domain.abuse.abuse_section import AbuseSection
from softix_proxy.domain.access.roles_section import RolesSection, require_roles
from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.core.config import PathUse
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.toml_text import parse_toml
from softix_proxy.domain.instance.backup_section import BackupSection
from softix_proxy.domain.instance.sections import (
    DemoSection,
    LogSection,
    MasterKeySection,
    MoneySection,
    RelaySection,
    RoutingSection,
    ServerSection,
    StorageSection,
    UpstreamSection,
)
from softix_proxy.domain.ledger.payments_section import PaymentsSection
from softix_proxy.domain.notices.mail_section import MailSection
from softix_proxy.domain.privacy.retention_section import RetentionSection


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of this instance."""

    data_dir: Path
    config: Path | None
    """The file that was read. It is None if there is none."""
    config_place: Path
    """The place of the file that was read, or would be if it were there."""
    unread_config: Path | None
    """The file in the data directory, if another one is read, or would be."""
    database: Path
    master_key: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings by section. Each section is frozen, so that all can share its default."""

    paths: Paths
    server: ServerSection = ServerSection()  # noqa: RUF009
    upstream: UpstreamSection = UpstreamSection()  # noqa: RUF009
    relay: RelaySection = RelaySection()  # noqa: RUF009
    money: MoneySection = MoneySection()  # noqa: RUF009
    routing: RoutingSection = RoutingSection()  # noqa: RUF009
    storage: StorageSection = StorageSection()  # noqa: RUF009
    backup: BackupSection = BackupSection()  # noqa: RUF009
    log: LogSection = LogSection()  # noqa: RUF009
    master_key: MasterKeySection = MasterKeySection()  # noqa: RUF009
    demo: DemoSection = DemoSection()  # noqa: RUF009
    billing: Billing = Billing()  # noqa: RUF009
    abuse: AbuseSection = AbuseSection()  # noqa: RUF009
    portal: PortalSection = PortalSection()  # noqa: RUF009
    mail: MailSection = MailSection()  # noqa: RUF009
    payments: PaymentsSection = PaymentsSection()  # noqa: RUF009
    oidc: OidcSection = OidcSection()  # noqa: RUF009
    roles: RolesSection = RolesSection()  # noqa: RUF009
    retention: RetentionSection = RetentionSection()  # noqa: RUF009
    from_file: frozenset[str] = field(default=frozenset(), compare=False)
    """The names (`section.field`) that the file sets."""


class Setting(NamedTuple):
    section: str
    name: str
    type: str
    default: Any
    doc: str
    variable: str
    """The environment variable that overrides the file."""


class Effective(NamedTuple):
    name: str
    """The name `section.field`."""
    value: Any
    source: Literal["default", "file", "environment"]


_SECTIONS: Mapping[str, Any] = {
    name: hint for name, hint in get_type_hints(Settings).items() if name not in ("paths", "from_file")
}
_NOT_SETTINGS = frozenset({"SOFTIX_MASTER_KEY", "SOFTIX_TOKEN", "SOFTIX_CONFIG", "SOFTIX_DATA_DIR"})
_OF_KUBERNETES = re.compile(r"SOFTIX_(SERVICE_(HOST|PORT)|PORT)(_.*)?")
"""The variables that Kubernetes puts into every pod if a Service is named softix."""


def load(config: Path | None, data_dir: Path | None, environ: Mapping[str, str]) -> Settings:
    """Reads the settings. Options come first, then the environment, then the file, then the defaults.

    Raises BadInputError that names the file or the variable, and the name closest to a misspelt one. It does not quote
    values, because one may be a secret in the wrong place.
    """
    paths = _paths(config, data_dir, environ)
    tables = _read(paths.config) if paths.config else {}
    _refuse_unknown(tables, _SECTIONS, f"{paths.config}: no section")
    values: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
    for section, table in tables.items():
        place = f"{paths.config}: [{section}]"
        if not isinstance(table, dict):
            raise BadInputError(f"{paths.config}: {section} is a section", f"write [{section}] on a line of its own")
        known = {item.name: item for item in fields(_SECTIONS[section])}
        _refuse_unknown(table, known, f"{place} has no setting")
        for name, value in table.items():
            kind = _Kind.of(section, name)
            values[section][name] = _in_folder(kind.checked(value, f"{place} {name}"), paths.config)
    from_file = frozenset(f"{section}.{name}" for section, table in values.items() for name in table)
    for section, name, value in _from_environment(environ):
        values[section][name] = value
    made = {section: kind(**values[section]) for section, kind in _SECTIONS.items()}
    if (made["server"].tls_cert is None) != (made["server"].tls_key is None):
        raise BadInputError("server.tls_cert and server.tls_key belong together", "set both, or none")
    if made["server"].tls_client_ca is not None and made["server"].tls_cert is None:
        raise BadInputError(
            "server.tls_client_ca and server.tls_cert belong together", "set server.tls_cert and tls_key too"
        )
    if made["portal"].enabled and made["portal"].public_url is None:
        raise BadInputError(
            "portal.enabled and portal.public_url belong together",
            "set portal.public_url to the address that browsers use",
        )
    require_roles(made["portal"].second_factor_roles, made["roles"])
    made["mail"].require()
    return Settings(paths, **made, from_file=from_file)


def _paths(config: Path | None, data_dir: Path | None, environ: Mapping[str, str]) -> Paths:
    home = data_dir or _path(environ.get("SOFTIX_DATA_DIR"))
    asked = config or _path(environ.get("SOFTIX_CONFIG"))
    if asked is not None and not asked.is_file():
        raise BadInputError(f"there is no configuration file {asked}", "make one: softix config example")
    home, beside = _places(home)
    place = (asked or beside / "config.toml").absolute()
    return Paths(
        data_dir=home,
        config=place if place.is_file() else None,
        config_place=place,
        unread_config=_unread(home / "config.toml", place),
        database=home / "softix.db",
        master_key=home / "master.key",
    )


def _unread(beside: Path, place: Path) -> Path | None:
    return beside if beside.is_file() and not (place.is_file() and beside.samefile(place)) else None


def _places(home: Path | None) -> tuple[Path, Path]:
    """Returns the folder of the data, and the folder of the configuration."""
    if home is not None:
        return home.absolute(), home.absolute()
    import platformdirs

    return platformdirs.user_data_path("softix").absolute(), platformdirs.user_config_path("softix").absolute()


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _read(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(path.read_text("utf-8"), str(path), "compare: softix config example")
    except UnicodeDecodeError:
        raise BadInputError(f"{path} is not UTF-8 text", "save it as UTF-8") from None
    except OSError as error:
        raise BadInputError(f"cannot read {path}: {error.strerror}", "check its owner and mode") from None


def _refuse_unknown(given: Iterable[str], known: Iterable[str], what: str) -> None:
    for name in set(given).difference(known):
        close = difflib.get_close_matches(name, list(known), n=1)
        raise BadInputError(f"{what} {name!r}", f"did you mean {close[0]}?" if close else "see: softix config example")


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str, Any]]:
    known = {setting.variable: setting for setting in describe()}
    for variable in sorted(environ):
        if not variable.startswith("SOFTIX_") or variable in _NOT_SETTINGS or _OF_KUBERNETES.fullmatch(variable):
            continue
        _refuse_unknown([variable], [*known, *_NOT_SETTINGS], "there is no setting")
        setting = known[variable]
        kind = _Kind.of(setting.section, setting.name)
        yield setting.section, setting.name, kind.checked(kind.from_text(environ[variable]), variable)


def _in_folder(value: Any, config: Path | None) -> Any:
    """Resolves a relative path in a file relative to that file."""
    return config.parent / value.expanduser() if isinstance(value, Path) and config else value


@cache
def _hints(owner: Any) -> dict[str, Any]:
    """Returns the type hints of a section, evaluated once.

    The evaluation takes all annotations, and a daemon that reads its settings again must not pause.
    """
    return get_type_hints(owner)


class _Kind(NamedTuple):
    """The type and the range of a setting."""

    hint: Any
    optional: bool
    metadata: Mapping[str, Any]

    @classmethod
    def of(cls, section: str, name: str) -> _Kind:
        owner = _SECTIONS[section]
        hint = _hints(owner)[name]
        metadata = next(item.metadata for item in fields(owner) if item.name == name)
        optional = NoneType in get_args(hint)
        return cls(get_args(hint)[0] if optional else hint, optional, metadata)

    @property
    def words(self) -> str:
        if get_origin(self.hint) is Literal:
            return " or ".join(f'"{choice}"' for choice in get_args(self.hint))
        least, most = self.metadata.get("least"), self.metadata.get("most")
        limits = (f" from {least} to {most}" if most else f" of at least {least}") if least is not None else ""
        if self.hint is Path:
            return self.use.value
        words: str = self.metadata.get("words", _WORDS[get_origin(self.hint) or self.hint])
        return words + limits

    @property
    def use(self) -> PathUse:
        """What the path names that this setting has."""
        use: PathUse = self.metadata.get("use", PathUse.FILE)
        return use

    def from_text(self, text: str) -> Any:
        """Converts a text to what the file would give. Unreadable text stays text, which `checked` refuses."""
        if self.optional and not text:
            return None
        if self.hint is bool:
            return {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), text)
        if self.hint in (int, float):
            return _number(text, self.hint)
        if get_origin(self.hint) is tuple:
            return shlex.split(text) if self.optional else [part.strip() for part in text.split(",") if part.strip()]
        return text

    def checked(self, value: Any, place: str) -> Any:
        """Returns the converted value. Raises BadInputError that says what would be right."""
        if value is None and self.optional:
            return None
        try:
            return self._converted(value)
        except (ValueError, TypeError, BadInputError):
            raise BadInputError(f"{place} must be {self.words}", "see: softix config example") from None

    def _converted(self, value: Any) -> Any:
        if get_origin(self.hint) is Literal:
            return value if isinstance(value, str) and value in get_args(self.hint) else _refuse()
        if get_origin(self.hint) is tuple:
            return self._items(value)
        if self.hint is Path:
            return Path(value) if isinstance(value, str) and value else _refuse()
        if type(value) is not self.hint and not (self.hint is float and type(value) is int):
            _refuse()
        least, most = self.metadata.get("least"), self.metadata.get("most")
        if (least is not None and not value >= least) or (most is not None and value > most) or value == "":
            _refuse()
        if self.hint is str and "item" in self.metadata:
            self.metadata["item"](value)
        return value

    def _items(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not (value or not self.optional):
            _refuse()
        for item in value:
            self.metadata.get("item", str)(item if isinstance(item, str) and item else _refuse())
        return tuple(value)


_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list of texts",
}


def _refuse() -> Any:
    raise ValueError


def _number(text: str, kind: type[int] | type[float]) -> Any:
    pattern = r"-?\d{1,18}" if kind is int else r"-?\d{1,18}(\.\d{1,9})?"
    return kind(text) if re.fullmatch(pattern, text, re.ASCII) else text


def describe() -> Iterator[Setting]:
    """Yields every setting, in the order of the example."""
    for section, owner in _SECTIONS.items():
        for item in fields(owner):
            kind, variable = _Kind.of(section, item.name), f"SOFTIX_{section}_{item.name}".upper()
            yield Setting(section, item.name, kind.words, item.default, item.metadata["doc"], variable)


def effective(settings: Settings, environ: Mapping[str, str]) -> Iterator[Effective]:
    """Yields the effective values and their sources. Secrets are no settings, and a command's arguments are hidden."""
    for section, name, *_, variable in describe():
        full = f"{section}.{name}"
        value = getattr(getattr(settings, section), name)
        veil = _Kind.of(section, name).metadata.get("veil")
        source: Literal["default", "file", "environment"] = "file" if full in settings.from_file else "default"
        yield Effective(
            full, veil(value) if veil and value else value, "environment" if variable in environ else source
        )


class NamedPath(NamedTuple):
    setting: str
    """The name `section.field`."""
    path: Path
    use: PathUse


def named_paths(settings: Settings) -> Iterator[NamedPath]:
    """Yields each path that a setting names."""
    for section, name, *_ in describe():
        value = getattr(getattr(settings, section), name)
        if isinstance(value, Path):
            yield NamedPath(f"{section}.{name}", value, _Kind.of(section, name).use)


class Reloaded(NamedTuple):
    """The effect of settings that were read again on a running daemon. Names are `section.field`."""

    settings: Settings
    taken: tuple[str, ...]
    at_the_next_start: tuple[str, ...]
    """The settings that differ from those with which the daemon started. The old values stay in force."""


def reloaded(running: Settings, read: Settings) -> Reloaded:
    taken, left, sections = list[str](), list[str](), dict[str, Any]()
    for section, owner in _SECTIONS.items():
        kept = {}
        for item in fields(owner):
            before, now = (getattr(getattr(each, section), item.name) for each in (running, read))
            if before != now:
                (left if item.metadata["restart"] else taken).append(f"{section}.{item.name}")
            kept[item.name] = before if item.metadata["restart"] else now
        sections[section] = owner(**kept)
    return Reloaded(replace(read, **sections), tuple(taken), tuple(left))


def example() -> str:
    """Returns a configuration file that sets nothing: every setting is in a comment, with its default."""
    lines = [
        "# This file has every setting of softix-proxy with its default. To change one, remove the # before its name.",
        "# Environment variables override this file: SOFTIX_<SECTION>_<NAME>, for example SOFTIX_SERVER_PORT=9000.",
        "# Units are in the names. Relative paths start at the folder of this file.",
    ]
    for section, owner in _SECTIONS.items():
        about = (line.strip() for line in (owner.__doc__ or "").strip().splitlines())
        lines += ["", *(f"# {line}".rstrip() for line in about), f"[{section}]"]
        for item in fields(owner):
            lines += ["", f"# {item.metadata['doc']}"]
            if item.default is None:
                lines.append(f"# Not set; for example: {item.name} = {_toml(item.metadata['example'])}")
            else:
                lines.append(f"#{item.name} = {_toml(item.default)}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)
