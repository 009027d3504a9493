"""The sections of the configuration, with the meaning and the range of each setting."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from softix_proxy.domain.config import setting
from softix_proxy.domain.request_headers import checked_header

_SECONDS = {"least": 0.001, "most": 86_400}
_COUNT = {"least": 0, "most": 1_000_000}


@dataclass(frozen=True, slots=True)
class ServerSection:
    """Where and how softix listens."""

    host: str = setting("127.0.0.1", "Address to listen on; 0.0.0.0 for all.", restart=True)
    port: int = setting(8484, "Port to listen on; 0 takes a free one.", restart=True, least=0, most=65535)
    tls_cert: Path | None = setting(  # noqa: RUF009
        None, "Certificate chain (PEM); with it softix speaks HTTPS.", restart=True, example="tls.crt"
    )
    tls_key: Path | None = setting(None, "The certificate's private key (PEM).", restart=True, example="tls.key")  # noqa: RUF009
    max_body_mib: int = setting(64, "Largest request body; a longer one is refused with 413.", least=1, most=1024)
    header_timeout_s: float = setting(10, "Time for a request's line and headers to arrive.", **_SECONDS)
    body_timeout_s: float = setting(60, "Time in which a body rests, or falls behind 1 KiB/s.", **_SECONDS)
    write_timeout_s: float = setting(30, "Time in which a client takes nothing of its answer.", **_SECONDS)
    tls_handshake_timeout_s: float = setting(10, "Time for a TLS handshake.", restart=True, **_SECONDS)
    drain_s: float = setting(30, "Time for running requests to end when softix is stopped.", **_COUNT)
    trusted_proxies: tuple[str, ...] = setting(
        (),
        "Networks whose X-Forwarded-For is believed, for example 10.0.0.0/8.",
        item=ip_network,
        words="a list of networks",
    )
    max_connections: int = setting(
        4096, "Clients' connections at once; fewer where the limit of open files is not enough for them.", least=1
    )
    metrics_networks: tuple[str, ...] = setting(
        ("127.0.0.0/8", "::1/128"),
        "Networks that may read /metrics, with no proxy in between; the loopback stands for all of this machine.",
        item=ip_network,
        words="a list of networks",
    )
    metrics_port: int | None = setting(
        None,
        "Port for /metrics alone, which is then nowhere else; 0 takes a free one.",
        restart=True,
        least=0,
        most=65535,
        example=9484,
    )
    metrics_host: str = setting("127.0.0.1", "Address to listen on for metrics_port.", restart=True)

    @property
    def max_body_bytes(self) -> int:
        return self.max_body_mib * 1024 * 1024


@dataclass(frozen=True, slots=True)
class UpstreamSection:
    """How softix talks to providers."""

    connect_timeout_s: float = setting(10, "Time to reach a provider.", **_SECONDS)
    first_byte_timeout_s: float = setting(600, "Time until an answer begins.", **_SECONDS)
    idle_timeout_s: float = setting(300, "Time without a byte within an answer.", **_SECONDS)
    connect_retries: int = setting(2, "Further tries where no connection was made.", least=0, most=10)
    max_connections_per_provider: int = setting(
        0,
        "Connections of one API key to one provider at once, each waited for as long as for a new one; 0: no limit.",
        restart=True,
        **_COUNT,
    )
    share_connections: bool = setting(False, "Let API keys share connections: fewer handshakes, less isolation.")
    drain_limit_s: float = setting(300, "Longest reading on after a client hung up.", **_COUNT)
    drain_limit_mib: int = setting(16, "Largest reading on after a client hung up.", **_COUNT)
    batch_poll_s: float = setting(60, "Time between two looks whether a batch has ended.", restart=True, **_SECONDS)
    pass_headers: tuple[str, ...] = setting(
        (),
        "Request headers that pass to providers beside the listed ones (docs/reference/headers.md).",
        item=checked_header,
        words="a list of headers' names, none of which proves who pays or chooses a price or an account",
    )
    ca_file: Path | None = setting(  # noqa: RUF009
        None, "Certificates to trust in place of the system's (PEM).", restart=True, example="ca.pem"
    )

    @property
    def drain_limit_bytes(self) -> int:
        return self.drain_limit_mib * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MoneySection:
    """What is charged where that is a matter of choice."""

    interrupted_charge: Literal["nothing", "bound"] = setting(
        "nothing", "What a request cost that a crash cut off: nothing, or all that was held for it.", restart=True
    )
    charge_failed_attempts: Literal["provider-billed", "never"] = setting(
        "never",
        "Who pays what the provider bills for attempts that failed: the customer, or the operator.",
        restart=True,  # what is held for a request and what it is charged follow one value
    )
    least_output_tokens: int = setting(
        16, "A request whose balance buys fewer output tokens than this is refused.", least=1
    )


@dataclass(frozen=True, slots=True)
class RoutingSection:
    """Which provider takes a request, and what happens when it fails before the client has anything of an answer."""

    fallback_by_name: bool = setting(True, "Without a route, models of one name stand in for the oldest, by age.")
    retries: int = setting(0, "Further rounds of a request without a route, after a pause.", least=0, most=10)
    most_attempts: int = setting(6, "Attempts of one request, whatever its route says.", least=1, most=50)
    breaker_failures: int = setting(5, "Failures in a row that leave a target out; 0: none.", **_COUNT)
    breaker_pause_s: float = setting(10, "How long at first; then twice as long, up to 5 minutes.", **_SECONDS)
    key_pause_s: float = setting(60, "How long a provider's key is left out that was refused.", **_SECONDS)


@dataclass(frozen=True, slots=True)
class StorageSection:
    """The database."""

    busy_timeout_ms: int = setting(
        5000, "Waiting for another program that writes.", restart=True, least=1, most=600_000
    )
    checkpoint_pages: int = setting(
        1000, "Pages in the write-ahead log from which on it is worked off.", restart=True, least=1
    )
    checkpoint_interval_s: float = setting(1, "Time between looks at the write-ahead log.", restart=True, **_SECONDS)


@dataclass(frozen=True, slots=True)
class LogSection:
    """What softix says about itself, on standard error; never content."""

    level: Literal["debug", "info", "warning", "error"] = setting("info", "The least that is worth a line.")
    format: Literal["json", "text"] = setting("json", "For machines, or for people.")
    file: Path | None = setting(  # noqa: RUF009
        None, "Write it to this file instead; SIGHUP opens it anew, for logrotate.", example="softix.log"
    )


@dataclass(frozen=True, slots=True)
class MasterKeySection:
    """Where the master key comes from.

    In this order: the systemd credential softix-master-key, the file master.key in the data directory, this
    command, the variable SOFTIX_MASTER_KEY.
    """

    command: tuple[str, ...] | None = setting(
        None,
        "Command that prints the key, for example from a KMS; run without a shell.",
        restart=True,
        example=("kms-tool", "decrypt", "softix"),
        veil=lambda command: (*command[:1], *("…" for _ in command[1:2])),
    )


@dataclass(frozen=True, slots=True)
class DemoSection:
    """A provider inside the daemon that answers without an account anywhere."""

    enabled: bool = setting(False, "Answer for the demo provider.", restart=True)
    tokens_per_s: int = setting(50, "How quickly its streams run.", restart=True, least=1, most=100_000)
