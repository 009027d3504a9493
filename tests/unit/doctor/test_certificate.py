from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.core.clock import SystemClock, from_us
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.settings import Settings

PASSPHRASE = serialization.BestAvailableEncryption(b"passphrase")


def write_key(path: Path, key, encryption=None) -> None:
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            encryption or serialization.NoEncryption(),
        )
    )
    path.chmod(0o600)


class Pair:
    """A certificate and its key, with the settings that name them."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.cert, self.key = folder / "tls.crt", folder / "tls.key"
        self.settings = replace(settings, server=ServerSection(tls_cert=self.cert, tls_key=self.key))
        self.private = ec.generate_private_key(ec.SECP256R1())
        write_key(self.key, self.private)
        self.issue(-1, 90)

    def issue(self, from_days: int, to_days: int, key=None) -> None:
        now, name = from_us(SystemClock().now_us()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        key = key or self.private
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=from_days))
            .not_valid_after(now + timedelta(days=to_days, hours=1))
            .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256())
        )
        self.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
def pair(made: Settings, tmp_path: Path) -> Pair:
    return Pair(made, tmp_path)


async def test_certificate_check_without_tls_is_ok(made: Settings, look) -> None:
    [found] = await look("certificate")
    assert (found.severity, found.message) == (Severity.OK, "none is configured: softix speaks plain HTTP")


async def test_certificate_check_of_a_matching_pair_is_ok(pair: Pair, look) -> None:
    [found] = await look("certificate", settings=pair.settings)
    assert found.severity is Severity.OK
    edwards = ed25519.Ed25519PrivateKey.generate()
    write_key(pair.key, edwards)
    pair.issue(-1, 90, edwards)
    [found] = await look("certificate", settings=pair.settings)
    assert found.severity is Severity.OK


@pytest.mark.parametrize(
    ("from_days", "to_days", "severity", "message"),
    [
        (-90, -2, Severity.ERROR, "the certificate ended on"),
        (2, 90, Severity.ERROR, "the certificate holds from"),
        (-80, 13, Severity.WARNING, "in 13 days"),
        (-80, 14, Severity.OK, "holds until"),
    ],
)
async def test_certificate_check_outside_its_validity_reports_when(
    pair: Pair, look, from_days: int, to_days: int, severity: Severity, message: str
) -> None:
    pair.issue(from_days, to_days)
    [found] = await look("certificate", settings=pair.settings)
    assert found.severity is severity
    assert message in found.message


async def test_certificate_check_with_another_key_reports_an_error(pair: Pair, look) -> None:
    write_key(pair.key, ec.generate_private_key(ec.SECP256R1()))
    first = (await look("certificate", settings=pair.settings))[0]
    assert (first.severity, first.message) == (Severity.ERROR, f"{pair.key} is not the key of {pair.cert}")


async def test_certificate_check_with_a_key_that_everyone_can_read_reports_an_error(pair: Pair, look) -> None:
    pair.key.chmod(0o644)
    first = (await look("certificate", settings=pair.settings))[0]
    assert (first.severity, first.remedy) == (Severity.ERROR, f"run: chmod o-rwx {pair.key}")


async def test_certificate_check_of_unusable_files_names_the_reason(pair: Pair, look) -> None:
    async def message() -> str:
        [found] = await look("certificate", settings=pair.settings)
        assert found.severity is Severity.ERROR
        return found.message

    write_key(pair.key, pair.private, PASSPHRASE)
    assert await message() == f"{pair.key} asks for a passphrase"
    pair.key.write_text("nothing")
    assert await message() == f"there is no private key in {pair.key}"
    pair.key.unlink()
    assert await message() == f"cannot read {pair.key}: No such file or directory"
    pair.cert.write_text("nothing")
    assert await message() == f"there is no certificate in {pair.cert}"


async def test_certificate_check_examines_the_authority_of_clients(pair: Pair, look, tmp_path: Path) -> None:
    there = replace(pair.settings, server=replace(pair.settings.server, tls_client_ca=tmp_path / "clients.crt"))
    missing = (await look("certificate", settings=there))[-1]
    assert (missing.severity, "clients.crt" in missing.message) == (Severity.ERROR, True)
    valid = pair.cert.read_bytes()
    for days, severity in ((90, Severity.OK), (-2, Severity.ERROR)):
        pair.issue(-90, days)
        (tmp_path / "clients.crt").write_bytes(pair.cert.read_bytes())
        pair.cert.write_bytes(valid)
        assert (await look("certificate", settings=there))[-1].severity is severity
