"""A key that was found in public is suspended, and only on the word of the code host or of an operator."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.portal import Got, Portal, organisation

from softix_proxy.domain.access.keys import KeyStatus
from softix_proxy.domain.access.roles import Granter, OperatorRoles
from softix_proxy.operations.abuse import abuse
from softix_proxy.operations.access import keys, tokens
from softix_proxy.operations.access.keys import IssuedKey

IDENTIFIER = "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c"
"""Any text: the example of the programme's documents."""


class Host(NamedTuple):
    """A code host with a key of its own, whose public half the portal has in a file."""

    secret: ec.EllipticCurvePrivateKey

    def headers(self, body: bytes) -> Mapping[str, str]:
        signature = b64encode(self.secret.sign(body, ec.ECDSA(SHA256()))).decode()
        return {"Github-Public-Key-Identifier": IDENTIFIER, "Github-Public-Key-Signature": signature}


@pytest.fixture
def host(portal: Portal, tmp_path: Path) -> Host:
    secret = ec.generate_private_key(ec.SECP256R1())
    pem = secret.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    place = tmp_path / "secret_scanning.json"
    listed = {"public_keys": [{"key_identifier": IDENTIFIER, "key": pem, "is_current": True}]}
    place.write_text(json.dumps(listed), "utf-8")
    portal.context.settings = replace(
        portal.context.settings, abuse=replace(portal.context.settings.abuse, leak_keys=place)
    )
    return Host(secret)


@pytest.fixture
async def issued(portal: Portal) -> IssuedKey:
    ada = await portal.account()
    acme = await organisation(portal, "acme", ada)
    return await keys.create(portal.storage, portal.context.vault, user=acme.public_id, label="ci")


def report_of(*texts: str) -> bytes:
    matches = [
        {"token": text, "type": "softix_key", "url": "https://example.org/x", "source": "commit"} for text in texts
    ]
    return json.dumps(matches).encode()


async def send(portal: Portal, body: bytes, headers: Mapping[str, str]) -> Got:
    return await portal.ask("POST", "/leaked", data=body, headers={"Content-Type": "application/json", **headers})


async def status_of(portal: Portal, issued: IssuedKey) -> KeyStatus:
    status: KeyStatus = (await portal.storage.reading().keys.get(issued.key.id)).status
    return status


async def test_signed_report_suspends_the_key_and_answers_in_the_documented_form(
    portal: Portal, host: Host, issued: IssuedKey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    other = portal.context.vault.new_api_key().text
    body = report_of(issued.text, other, "not a key")
    got = await send(portal, body, host.headers(body))
    assert got.status == 200
    assert json.loads(got.text) == [
        {"token_hash": sha256(text.encode()).hexdigest(), "token_type": "softix_key", "label": label}
        for text, label in (
            (issued.text, "true_positive"),
            (other, "false_positive"),
            ("not a key", "false_positive"),
        )
    ]
    assert await status_of(portal, issued) is KeyStatus.REVOKED
    [alert] = await abuse.list_all(portal.storage, limit=10)
    assert (alert.rule, alert.subject) == ("leaked-key", issued.key.public_id)
    assert "'commit'" in alert.text
    assert sorted(await portal.kinds()) == ["abuse", "key_created"]
    assert issued.text not in caplog.text + got.text + repr(alert)
    await abuse.undo(portal.storage, alert.public_id)
    assert await status_of(portal, issued) is KeyStatus.ACTIVE


async def test_report_that_comes_again_raises_no_second_alert(portal: Portal, host: Host, issued: IssuedKey) -> None:
    body = report_of(issued.text)
    for _ in range(2):
        assert json.loads((await send(portal, body, host.headers(body))).text)[0]["label"] == "true_positive"
    assert len(await abuse.list_all(portal.storage, limit=10)) == 1


async def test_report_without_a_valid_signature_changes_nothing(portal: Portal, host: Host, issued: IssuedKey) -> None:
    body = report_of(issued.text)
    right = host.headers(body)
    stranger = Host(ec.generate_private_key(ec.SECP256R1())).headers(body)
    other_curve = ec.generate_private_key(ec.SECP384R1()).sign(body, ec.ECDSA(SHA256()))
    refused: list[Mapping[str, str]] = [
        {},
        stranger,
        host.headers(body + b" "),
        {**right, "Github-Public-Key-Identifier": "another"},
        {**right, "Github-Public-Key-Signature": ""},
        {**right, "Github-Public-Key-Signature": "é"},
        {**right, "Github-Public-Key-Signature": b64encode(other_curve).decode()},
        {"Github-Public-Key-Signature": right["Github-Public-Key-Signature"]},
        {"Authorization": "Bearer sx_admin_wrong"},
    ]
    for headers in refused:
        got = await send(portal, body, headers)
        assert (got.status, got.text) == (401, "")
    assert await status_of(portal, issued) is KeyStatus.ACTIVE
    assert await abuse.list_all(portal.storage, limit=10) == []


@pytest.mark.parametrize("content", ["", "{}", '{"public_keys": [7]}', '{"public_keys": 7}', "null"])
async def test_file_of_keys_that_is_broken_lets_nobody_in(
    portal: Portal, host: Host, issued: IssuedKey, content: str
) -> None:
    place: Any = portal.context.settings.abuse.leak_keys
    place.write_text(content, "utf-8")
    body = report_of(issued.text)
    assert (await send(portal, body, host.headers(body))).status == 401
    place.unlink()
    assert (await send(portal, body, host.headers(body))).status == 401


async def test_operators_token_reports_and_one_without_the_permission_does_not(
    portal: Portal, issued: IssuedKey
) -> None:
    vault, by = portal.context.vault, Granter(OperatorRoles(), OperatorRoles().permissions("owner-operator"))
    body = report_of(issued.text)
    for role, status in (("auditor", 401), ("admin", 200)):
        token = await tokens.create(portal.storage, vault, role, by)
        got = await send(portal, body, {"Authorization": f"Bearer {token.text}"})
        assert got.status == status
    assert await status_of(portal, issued) is KeyStatus.REVOKED


@pytest.mark.parametrize("body", [b"", b"{}", b"[7]", b'[{"type": "x"}]', b'[{"token": 7}]', b"[" * 5000])
async def test_signed_report_of_another_form_is_refused_without_a_word(portal: Portal, host: Host, body: bytes) -> None:
    got = await send(portal, body, host.headers(body))
    assert (got.status, got.text) == (400, "")


async def test_owner_of_a_suspended_key_reads_why_on_the_page_of_keys(
    portal: Portal, host: Host, issued: IssuedKey
) -> None:
    body = report_of(issued.text)
    await send(portal, body, host.headers(body))
    account = await portal.storage.reading().accounts.find("acc_ada")
    page = await portal.get("/keys", token=await portal.sign_in(account))
    assert "The operator suspended the key ci" in page.text
    assert "found in public" in page.text
