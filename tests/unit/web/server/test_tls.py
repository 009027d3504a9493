import asyncio
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from support.certificates import write_pair

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.web.server.tls import Certificate


async def shown(place: Any) -> str:
    """The name in the certificate that a new connection is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", place.port, ssl=context)
    tls = writer.get_extra_info("ssl_object")
    assert tls.version() == "TLSv1.3"
    found = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
    writer.close()
    return str(found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


async def test_certificate_files_replaced_while_serving_are_used_if_they_are_valid(opened: Any, tmp_path: Path) -> None:
    certificate = Certificate(*write_pair(tmp_path, "first"))
    async with opened(tls=certificate.context) as place:
        assert place.url.startswith("https://")
        assert await shown(place) == "first"
        write_pair(tmp_path, "second")
        assert await shown(place) == "second"
        (tmp_path / "key.pem").write_text("nonsense")
        assert await shown(place) == "second"
        write_pair(tmp_path, "third")
        assert await shown(place) == "third"


async def test_tls_connection_with_an_older_protocol_is_refused(opened: Any, tmp_path: Path) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    certificate = Certificate(*write_pair(tmp_path, "first"))
    async with opened(tls=certificate.context) as place:
        with pytest.raises(aiohttp.ClientConnectorError):
            await place.session.get(place.url + "/healthz", ssl=old)


@pytest.mark.parametrize("broken", ["chain.pem", "key.pem"])
@pytest.mark.parametrize("content", [None, "nonsense"])
def test_certificate_with_unusable_files_is_refused(tmp_path: Path, broken: str, content: str | None) -> None:
    chain, key = write_pair(tmp_path, "first")
    (tmp_path / broken).unlink()
    if content:
        (tmp_path / broken).write_text(content)
    with pytest.raises(FailureError, match="cannot use the certificate") as failure:
        Certificate(chain, key)
    assert "PEM" in failure.value.remedy


async def test_certificate_renew_logs_a_new_or_unusable_certificate(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = Certificate(*write_pair(tmp_path, "first"))
    with caplog.at_level("INFO", "softix.web"):
        certificate.renew()
        assert caplog.messages == []
        (tmp_path / "key.pem").write_text("nonsense")
        for _ in range(3):
            certificate.renew()  # it is told once, however many handshakes there are
        write_pair(tmp_path, "second")
        certificate.renew()
    assert caplog.messages == [
        "the new certificate cannot be used, and the one before is used on; see: softix doctor",
        "took a new certificate",
    ]
