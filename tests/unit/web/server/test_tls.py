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


async def test_certificate_replaced_during_requests_drops_none_of_them(opened: Any, tmp_path: Path) -> None:
    """Old connections go on, new ones get the new certificate, and a half-written pair changes nothing."""
    certificate = Certificate(*write_pair(tmp_path, "0"))
    async with opened(tls=certificate.context) as place:
        stop = asyncio.Event()

        async def ask(*, keeps: bool) -> int:
            count = 0
            async with aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=False, force_close=not keeps)
            ) as session:
                while not stop.is_set() or not count:
                    async with session.get(place.url + "/healthz") as answer:
                        assert answer.status == 200
                        count += 1
            return count

        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(ask(keeps=keeps)) for keeps in (True, True, False, False)]
            for number in range(1, 6):
                (tmp_path / "key.pem").write_text("half")
                assert await shown(place) == str(number - 1)
                write_pair(tmp_path, str(number))
                assert await shown(place) == str(number)
            stop.set()
    assert all(task.result() for task in asking)


async def test_client_without_a_certificate_of_the_authority_is_refused(opened: Any, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("server", "ours", "theirs")]
    for folder in folders:
        folder.mkdir()
    server, ours, theirs = (write_pair(folder, folder.name) for folder in folders)
    async with opened(tls=Certificate(*server, client_ca=ours[0]).context) as place:
        for pair, answered in ((ours, True), (theirs, False), (None, False)):
            context = ssl.create_default_context(cafile=str(server[0]))
            if pair is not None:
                context.load_cert_chain(*pair)
            try:
                async with place.session.get(place.url + "/healthz", ssl=context) as answer:
                    found = answer.status == 200
            except aiohttp.ClientError:
                found = False
            assert found is answered, pair
        async with asyncio.timeout(10):
            while place.server._tls_acceptor.handshakes:
                await asyncio.sleep(0.005)


def test_encrypted_key_is_refused_and_never_asked_for_at_the_terminal(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match="cannot use the certificate"):
        Certificate(*write_pair(tmp_path, "first", password=b"secret"))


def test_authority_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match=r"and the clients' authority .*none\.pem"):
        Certificate(*write_pair(tmp_path, "first"), client_ca=tmp_path / "none.pem")
