"""TLS 1.3, with certificates that are reloaded when their files change."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from softix_proxy.domain.core.errors import FailureError

log = logging.getLogger("softix.web")


class Certificate:
    """A certificate and its key. If a new pair does not match or cannot be read, the pair in use stays."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Loads the pair. Raises FailureError."""
        self._chain, self._key = chain, key
        try:
            self._stamp = self._read_stamp()
            self._current = self._load()
        except (OSError, ssl.SSLError):
            raise FailureError(
                f"cannot use the certificate {chain} with the key {key}", "check that both are PEM and belong together"
            ) from None

    def listening_context(self) -> ssl.SSLContext:
        """Returns a context that uses the newest pair for each handshake."""
        context = self._load()
        context.sni_callback = self._swap
        return context

    def renew(self) -> None:
        """Reloads now rather than at the next handshake, so that the log shows at once whether the pair can be used."""
        self._renew()

    def _swap(self, tls: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext) -> None:
        self._renew()
        tls.context = self._current

    def _renew(self) -> None:
        try:
            stamp = self._read_stamp()
            if stamp != self._stamp:
                self._current = self._load()
                self._stamp = stamp
                log.info("took a new certificate")
        except (OSError, ssl.SSLError) as error:
            log.error("the new certificate cannot be used", extra={"error": type(error).__name__})

    def _read_stamp(self) -> tuple[int, int]:
        return self._chain.stat().st_mtime_ns, self._key.stat().st_mtime_ns

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self._chain, self._key)
        return context
