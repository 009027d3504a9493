"""The sections of the configuration, with the meaning and the range of each setting."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from softix_proxy.domain.catalog.request_headers import checked_header
from softix_proxy.domain.catalog.unknown_members import UnknownMembersRule
from softix_proxy.domain.core.config import PathUse, setting
from softix_proxy.domain.metering.usage_tags import checked_name

_SECONDS = {"least": 0.001, "most": 86_400}
_COUNT = {"least": 0, "most": 1_000_000}
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - the keys are replaced by the values


def local_url(host: str, port: int, *, has_tls: bool) -> str:
    """Returns the address at which a program on this machine reaches a listener. With port 0 it is not known."""
    name = _EVERYWHERE.get(host, host)
    return f"{'https' if has_tls else 'http'}://{f'[{name}]' if ':' in name else name}:{port}"


@dataclass(frozen=True, slots=True)
class ServerSection:
    """Sets where and how softix listens."""

    host: str = setting("127.0.0.1", "The address to listen on. 0.0.0.0 listens on all addresses.", restart=True)
    port: int = setting(8484, "The port to listen on. 0 takes a free one.", restart=True, least=0, most=65535)
    tls_cert: Path | None = setting(  # noqa: RUF009
        None, "The certificate chain (PEM). With it, softix speaks HTTPS.", restart=True, example="tls.crt"
    )
    tls_key: Path | None = setting(None, "The certificate's private key (PEM).", restart=True, example="tls.key")  # noqa: RUF009
    tls_client_ca: Path | None = setting(  # noqa: RUF009
        None,
        "The authority (PEM) of clients' certificates. With it, only clients that have one can connect.",
        restart=True,
        example="clients.crt",
    )
    max_body_mib: int = setting(64, "The largest request body. A larger one is refused with 413.", least=1, most=1024)
    max_bodies_mib: int = setting(
        1024,
        "The memory for bodies that are being received. One API key, or one address, has half of it; others wait.",
        least=1,
        most=1_000_000,
    )
    header_timeout_s: float = setting(10, "The time in which a request's line and headers must arrive.", **_SECONDS)
    body_timeout_s: float = setting(
        30, "The longest time for which a body may pause, or be slower than 1 KiB/s.", **_SECONDS
    )
    write_timeout_s: float = setting(
        30, "The longest time for which a client may read nothing of its answer.", **_SECONDS
    )
    tls_handshake_timeout_s: float = setting(10, "The time for a TLS handshake.", restart=True, **_SECONDS)
    drain_s: float = setting(30, "The time that running requests have to end when softix stops.", **_COUNT)
    lame_duck_s: float = setting(
        0,
        "The time for which softix serves on when it stops, while /readyz says 503, so that balancers leave it.",
        **_COUNT,
    )
    trusted_proxies: tuple[str, ...] = setting(
        (),
        "The networks whose X-Forwarded-For is trusted, for example 10.0.0.0/8.",
        item=ip_network,
        words="a list of networks",
    )
    max_connections: int = setting(
        4096,
        "The most client connections at once. There are fewer if the limit of open files does not allow as many.",
        least=1,
    )
    max_connections_per_address: int = setting(
        0,
        "The most connections of one address, or /64 of IPv6. 0: all but an eighth. Trusted proxies have no limit.",
        **_COUNT,
    )
    max_requests_per_key: int = setting(
        0,
        "The most requests of one API key at once, beside the limits of the key itself. 0: all but an eighth.",
        **_COUNT,
    )
    bad_keys_per_minute: int = setting(
        30, "The invalid API keys that one address may send. Further ones get 429, and valid keys still pass.", least=1
    )
    metrics_networks: tuple[str, ...] = setting(
        ("127.0.0.0/8", "::1/128"),
        "The networks that may read /metrics at metrics_port. At server.port this machine may, if it is among them.",
        item=ip_network,
        words="a list of networks",
    )
    metrics_port: int | None = setting(
        None,
        "A separate port for /metrics, which is then on no other port. 0 takes a free one.",
        restart=True,
        least=0,
        most=65535,
        example=9484,
    )
    metrics_host: str = setting("127.0.0.1", "The address to listen on for metrics_port.", restart=True)

    @property
    def metrics_are_unreachable(self) -> bool:
        """Whether networks may read the metrics that cannot, because only the separate port serves other machines."""
        return self.metrics_port is None and not all(ip_network(each).is_loopback for each in self.metrics_networks)

    @property
    def max_body_bytes(self) -> int:
        return self.max_body_mib * 1024 * 1024

    @property
    def max_bodies_bytes(self) -> int:
        return self.max_bodies_mib * 1024 * 1024

    @property
    def local_url(self) -> str:
        """The address at which a program on this machine reaches the API. With port 0 it is not known."""
        return local_url(self.host, self.port, has_tls=self.tls_cert is not None)


@dataclass(frozen=True, slots=True)
class UpstreamSection:
    """Sets how softix connects to providers."""

    connect_timeout_s: float = setting(10, "The time to reach a provider.", **_SECONDS)
    first_byte_timeout_s: float = setting(600, "The time until an answer begins.", **_SECONDS)
    idle_timeout_s: float = setting(300, "The longest pause within an answer.", **_SECONDS)
    connect_retries: int = setting(2, "The number of retries if no connection was made.", least=0, most=10)
    max_connections_per_provider: int = setting(
        0,
        "The most connections of one API key to one provider. Others wait, at most connect_timeout_s. 0: no limit.",
        restart=True,
        **_COUNT,
    )
    share_connections: bool = setting(False, "Lets API keys share connections: fewer handshakes, less isolation.")
    hidden_on_hang_up: Literal["drain", "bound"] = setting(
        "drain",
        "What happens if a client leaves a stream whose cost it cannot have seen: softix reads on until the usage is "
        "reported (drain), or stops the provider and charges all that was held (bound).",
    )
    models_without_reasoning: tuple[str, ...] = setting(
        (),
        "The models that never reason out of sight, beside the known ones, such as my-model*. If a client leaves them, "
        "softix stops the provider and charges what passed.",
        item=str,
        words="a list of names of models at their providers, in which * stands for any text",
    )
    drain_limit_s: float = setting(
        1800,
        "The longest time for which softix reads on after a client disconnected. If the end is not seen by then, all "
        "that was held is charged.",
        **_COUNT,
    )
    drain_limit_mib: int = setting(16, "The most that softix reads on after a client disconnected.", **_COUNT)
    batch_poll_s: float = setting(
        60, "The time between two checks whether a batch has ended.", restart=True, **_SECONDS
    )
    pass_headers: tuple[str, ...] = setting(
        (),
        "Further request headers that pass to providers, beside the listed ones (docs/reference/headers.md).",
        item=checked_header,
        words="a list of headers' names, none of which proves who pays or chooses a price or an account",
    )
    ca_file: Path | None = setting(  # noqa: RUF009
        None, "The certificates (PEM) to trust instead of the system's.", restart=True, example="ca.pem"
    )

    @property
    def drain_limit_bytes(self) -> int:
        return self.drain_limit_mib * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RelaySection:
    """Sets what softix does with requests on their way to a provider."""

    unknown_members: UnknownMembersRule = setting(  # noqa: RUF009
        "pass",
        "What is done with members of which softix does not know what they cost. A provider or a key may differ.",
    )
    tags: tuple[str, ...] = setting(
        (),
        "The names of the tags that a request may set in its header x-softix-tag, for example team.",
        item=checked_name,
    )


@dataclass(frozen=True, slots=True)
class MoneySection:
    """Sets what is charged, where the operator has a choice."""

    interrupted_charge: Literal["nothing", "bound"] = setting(
        "nothing", "The charge for a request that a crash cut off: nothing, or all that was held for it.", restart=True
    )
    charge_failed_attempts: Literal["provider-billed", "never"] = setting(
        "never",
        "Whether the customer pays what the provider bills for failed attempts. With never, the operator pays it.",
        restart=True,  # what is held for a request and what it is charged follow one value
    )
    least_output_tokens: int = setting(
        16, "The fewest output tokens. A request is refused if its balance buys fewer.", least=1
    )


@dataclass(frozen=True, slots=True)
class RoutingSection:
    """Sets which provider gets a request, and what happens if it fails before the client has any of the answer."""

    fallback_by_name: bool = setting(
        True, "Without a route, the other models of the same name are fallbacks of the oldest, by age."
    )
    retries: int = setting(
        0, "The number of retries of all targets after a pause, for a request without a route.", least=0, most=10
    )
    most_attempts: int = setting(6, "The most attempts of one request, whatever its route says.", least=1, most=50)
    breaker_failures: int = setting(
        5, "The failures in a row after which the circuit breaker leaves a target out. 0: never.", **_COUNT
    )
    breaker_pause_s: float = setting(
        10, "The first pause of a circuit breaker. Each further one is twice as long, up to 5 minutes.", **_SECONDS
    )
    key_pause_s: float = setting(
        60, "The time for which a provider's key is left out after it was refused.", **_SECONDS
    )


@dataclass(frozen=True, slots=True)
class StorageSection:
    """Sets how softix uses the database."""

    busy_timeout_ms: int = setting(
        5000, "The longest wait for another program that writes.", restart=True, least=1, most=600_000
    )
    checkpoint_pages: int = setting(
        1000, "The number of pages in the write-ahead log at which a checkpoint begins.", restart=True, least=1
    )
    checkpoint_interval_s: float = setting(
        1, "The time between two checks of the write-ahead log.", restart=True, **_SECONDS
    )


@dataclass(frozen=True, slots=True)
class LogSection:
    """Sets what softix logs about itself, on standard error. It never logs content."""

    level: Literal["debug", "info", "warning", "error"] = setting("info", "The lowest level that is logged.")
    format: Literal["json", "text"] = setting("json", "The format of lines: json for programs, text for people.")
    file: Path | None = setting(  # noqa: RUF009
        None,
        "The file to log to instead of standard error. SIGHUP reopens it, for logrotate.",
        use=PathUse.NEW_FILE,
        example="softix.log",
    )


@dataclass(frozen=True, slots=True)
class MasterKeySection:
    """Sets where the master key comes from.

    softix takes the first that exists: the systemd credential softix-master-key, the file master.key in the data
    directory, this command, the variable SOFTIX_MASTER_KEY.
    """

    command: tuple[str, ...] | None = setting(
        None,
        "A command that prints the key, for example from a KMS. It runs without a shell.",
        restart=True,
        example=("kms-tool", "decrypt", "softix"),
        veil=lambda command: (*command[:1], *("…" for _ in command[1:2])),
    )


@dataclass(frozen=True, slots=True)
class DemoSection:
    """Sets up a provider inside the daemon that answers without any account."""

    enabled: bool = setting(False, "Turns on the demo provider.", restart=True)
    tokens_per_s: int = setting(50, "The speed of its streams.", restart=True, least=1, most=100_000)
