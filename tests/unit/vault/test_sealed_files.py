import io
import secrets

import pytest

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.vault import sealed_files
from softix_proxy.vault.master_key import MasterKey
from softix_proxy.vault.vault import KeyRing

KEY = MasterKey(secrets.token_bytes(32))
PIECE = sealed_files._PIECE_BYTES


def sealed(content: bytes, key: MasterKey = KEY) -> bytes:
    target = io.BytesIO()
    sealed_files.seal_file(key, io.BytesIO(content), target)
    return target.getvalue()


def opened(blob: bytes, key: MasterKey = KEY) -> bytes:
    target = io.BytesIO()
    sealed_files.open_file(KeyRing([key]).find, io.BytesIO(blob), target)
    return target.getvalue()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_sealed_file_opens_as_it_was(size: int) -> None:
    content = secrets.token_bytes(size)
    blob = sealed(content)
    assert opened(blob) == content
    assert sealed_files.is_sealed(io.BytesIO(blob)) and not sealed_files.is_sealed(io.BytesIO(content))


def test_same_file_sealed_twice_has_no_piece_in_common() -> None:
    content = bytes(2 * PIECE)
    one, other = sealed(content), sealed(content)
    assert one[-PIECE:] != other[-PIECE:] and content[:64] not in one


def pieces(blob: bytes) -> tuple[bytes, list[bytes]]:
    length = int.from_bytes(blob[len(sealed_files.HEAD) : len(sealed_files.HEAD) + 4], "big")
    start = len(sealed_files.HEAD) + 4 + length
    body = blob[start:]
    return blob[:start], [body[at : at + PIECE + 16] for at in range(0, len(body), PIECE + 16)]


def test_file_with_a_piece_missing_moved_or_changed_does_not_open() -> None:
    head, parts = pieces(sealed(secrets.token_bytes(3 * PIECE)))
    changed = bytearray(parts[1])
    changed[7] ^= 1
    other_head, other = pieces(sealed(secrets.token_bytes(3 * PIECE)))
    for body in (
        parts[:-1],  # the end is cut off at a piece
        parts[1:],
        [parts[1], parts[0], parts[2]],
        [parts[0], bytes(changed), parts[2]],
        [parts[0], other[1], parts[2]],
        [*parts, parts[2]],
        [],
    ):
        with pytest.raises(FailureError, match="damaged or cut off"):
            opened(head + b"".join(body))
    with pytest.raises(FailureError):
        opened(other_head + b"".join(parts))


@pytest.mark.parametrize("blob", [b"", b"SQLite format 3\0", sealed_files.HEAD, sealed_files.HEAD + b"\xff" * 4])
def test_other_file_does_not_open(blob: bytes) -> None:
    with pytest.raises(FailureError):
        opened(blob)


def test_file_of_another_master_key_names_the_one_that_is_needed() -> None:
    with pytest.raises(FailureError, match=KEY.id):
        opened(sealed(b"books"), MasterKey(secrets.token_bytes(32)))
