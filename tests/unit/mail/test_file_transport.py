from __future__ import annotations

from pathlib import Path

import pytest

from softix_proxy.domain.ports.mail import DeliveryError, DeliveryFault
from softix_proxy.mail.file_transport import FileTransport
from softix_proxy.mail.transport import OutgoingMessage


def message(name: str = "1-msg_a", raw: bytes = b"Subject: x\r\n\r\nbody") -> OutgoingMessage:
    return OutgoingMessage(name, "softix@example.org", "ada@example.org", raw)


async def test_message_is_a_file_that_only_its_owner_may_read(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    await FileTransport(folder).deliver(message())
    [file] = folder.iterdir()
    assert (file.name, file.read_bytes()) == ("1-msg_a.eml", message().raw)
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


async def test_message_that_is_written_again_replaces_itself(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    transport = FileTransport(folder)
    await transport.deliver(message())
    folder.joinpath(".1-msg_a.part").write_bytes(b"a longer rest of a process that died while it wrote this message")
    await transport.deliver(message(raw=b"again"))
    assert [(file.name, file.read_bytes()) for file in folder.iterdir()] == [("1-msg_a.eml", b"again")]


async def test_message_does_not_follow_a_link(tmp_path: Path) -> None:
    folder, other = tmp_path / "mail", tmp_path / "other"
    folder.mkdir()
    other.write_text("kept")
    folder.joinpath(".1-msg_a.part").symlink_to(other)
    with pytest.raises(DeliveryError):
        await FileTransport(folder).deliver(message())
    assert other.read_text() == "kept"


async def test_folder_that_cannot_be_written_is_a_fault_without_an_address(tmp_path: Path) -> None:
    tmp_path.joinpath("mail").write_text("a file")
    with pytest.raises(DeliveryError) as failed:
        await FileTransport(tmp_path / "mail").deliver(message())
    assert failed.value.fault is DeliveryFault.FOLDER_UNWRITABLE and not failed.value.permanent
    assert failed.value.__cause__ is None and "ada" not in str(failed.value)
    await FileTransport(tmp_path / "mail").rest()
