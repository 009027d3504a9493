"""TLS 1.3. Certificates are reloaded when their files change, and clients may be asked for theirs."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from softix_proxy.domain.core.errors import FailureError

log = logging.getLogger("softix.web")


_Stamp = tuple[tuple[int, int, int], ...]
"""What changes with a file: its inode, its size and the time of its last change."""


class Certificate:
    """The certificate and its key, and the authority of the clients' certificates if they must have one.

    A new context is built for new files, and connections keep the one that they began with. If the new files cannot be
    used, the context in use stays.
    """

    def __init__(self, chain: Path, key: Path, client_ca: Path | None = None) -> None:
        """Loads the files. Raises FailureError."""
        self._chain, self._key, self._client_ca = chain, key, client_ca
        try:
            self._stamp = self._read_stamp()
            self._current = self._load()
        except (OSError, ssl.SSLError):
            raise FailureError(
                f"cannot use the certificate {chain} with the key {key}"
                + (f" and the clients' authority {client_ca}" if client_ca else ""),
                "check that all are PEM, and that certificate and key belong together",
            ) from None

    def context(self) -> ssl.SSLContext:
        """Returns the context for a handshake, with the newest files that can be used."""
        self.renew()
        return self._current

    def renew(self) -> None:
        """Loads the files if they have changed. Unusable ones are reported once, until they change again."""
        try:
            stamp = self._read_stamp()
        except OSError:
            stamp = ()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._current = self._load()
            log.info("took a new certificate")
        except (OSError, ssl.SSLError) as error:
            log.error(
                "the new certificate cannot be used, and the one before is used on; see: softix doctor",
                extra={"error": type(error).__name__},
            )

    def _read_stamp(self) -> _Stamp:
        found = (path.stat() for path in (self._chain, self._key, self._client_ca) if path is not None)
        return tuple((each.st_ino, each.st_size, each.st_mtime_ns) for each in found)

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self._chain, self._key, password=lambda: "")  # it must never ask at the terminal
        if self._client_ca is not None:
            context.load_verify_locations(self._client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context
