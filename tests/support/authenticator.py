"""An authenticator in software: it makes passkeys and signs with them, and does whatever a test tells it to."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
"""The flags of authenticator data (W3C Web Authentication, section 6.1)."""


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One passkey of one site."""

    origin: str
    flags: int = PRESENT | VERIFIED
    count: int = 1
    """The next count that it reports. It does not count where this is 0."""
    rp_id: str | None = None
    """The site for which it signs. None for the one that the options name."""
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    handle: bytes = b""

    def create(self, options: str) -> str:
        """The answer of `navigator.credentials.create`, as the script of the portal sends it."""
        asked = json.loads(options)
        self.handle = decoded(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(cose)
        data = self._data(asked["rp"]["id"], self.flags | ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", asked["challenge"])
        return self._answer(client, {"attestationObject": encoded(attestation)})

    def get(self, options: str) -> str:
        """The answer of `navigator.credentials.get`."""
        asked = json.loads(options)
        data = self._data(asked["rpId"], self.flags)
        client = self._client("webauthn.get", asked["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"authenticatorData": encoded(data), "signature": encoded(signature)}
        if self.handle:
            response["userHandle"] = encoded(self.handle)
        return self._answer(client, response)

    def _data(self, rp_id: str, flags: int) -> bytes:
        count, self.count = self.count, self.count + 1 if self.count else 0
        return hashlib.sha256((self.rp_id or rp_id).encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, client: bytes, response: dict[str, str]) -> str:
        name = encoded(self.credential_id)
        told = {"clientDataJSON": encoded(client), **response}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": told})
