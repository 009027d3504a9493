"""Checks whether clients will accept the TLS certificate."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning
from softix_proxy.domain.core.clock import DAY_US, from_us, to_us
from softix_proxy.domain.core.errors import FailureError

_SOON_DAYS = 14
_RENEW = "put a new one in its place: softix takes it without a restart"


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    """Yields what is wrong with the certificate, its key, and the authority of clients' certificates."""
    server = context.settings.server
    if server.tls_cert is None or server.tls_key is None:
        yield ok("none is configured: softix speaks plain HTTP")
        return
    certificate, key = _read_chain(server.tls_cert), _read_key(server.tls_key)
    if server.tls_key.stat().st_mode & 0o007:
        yield error(f"everyone may read {server.tls_key}", f"run: chmod o-rwx {shlex.quote(str(server.tls_key))}")
    if _bytes(certificate.public_key()) != _bytes(key.public_key()):
        yield error(
            f"{server.tls_key} is not the key of {server.tls_cert}", "put the pair in place that belongs together"
        )
    now = from_us(context.clock.now_us())
    for found in _validity(certificate, now):
        yield found
    if server.tls_client_ca is not None:
        authority = _read_chain(server.tls_client_ca)
        if now >= authority.not_valid_after_utc:
            yield error(
                f"the clients' authority {server.tls_client_ca} ended on {authority.not_valid_after_utc:%Y-%m-%d}",
                "put a new one in its place, and give clients certificates of it",
            )


def _validity(certificate: Certificate, now: datetime) -> Iterator[Observation]:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    days = (to_us(end) - to_us(now)) // DAY_US
    if now < begin:
        yield error(f"the certificate holds from {begin:%Y-%m-%d %H:%M} UTC only", "check the clock, or wait")
    elif now >= end:
        yield error(f"the certificate ended on {end:%Y-%m-%d %H:%M} UTC", _RENEW)
    elif days < _SOON_DAYS:
        yield warning(f"the certificate ends on {end:%Y-%m-%d}, in {days} days", _RENEW)
    else:
        yield ok(f"the certificate holds until {end:%Y-%m-%d}")


def _read_chain(path: Path) -> Certificate:
    """Returns the first certificate of the chain, which is the server's own. Raises FailureError."""
    try:
        return load_pem_x509_certificates(_read(path))[0]
    except ValueError:
        raise FailureError(
            f"there is no certificate in {path}", "put the chain there in PEM, the server's first"
        ) from None


def _read_key(path: Path) -> PrivateKeyTypes:
    """Returns the private key. Raises FailureError."""
    try:
        return load_pem_private_key(_read(path), None)
    except TypeError:
        raise FailureError(
            f"{path} asks for a passphrase", "write it without one: openssl pkey -in OLD -out NEW"
        ) from None
    except ValueError:
        raise FailureError(f"there is no private key in {path}", "put it there in PEM") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failure:
        raise FailureError(f"cannot read {path}: {failure.strerror}", "check its path, owner and mode") from None


def _bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
