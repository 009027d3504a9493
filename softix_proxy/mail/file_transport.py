"""Writes messages into a folder, one .eml file each, so that all of softix works without a mail server."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from softix_proxy.domain.instance import ownership
from softix_proxy.domain.ports.mail import DeliveryError, DeliveryFault
from softix_proxy.mail.transport import OutgoingMessage


class FileTransport:
    """Writes each message to a file of its own, which only its owner may read.

    A file has its message's name. So a message that is written again after a crash replaces itself.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def deliver(self, message: OutgoingMessage) -> None:
        try:
            await asyncio.to_thread(self._write, message)
        except OSError:
            raise DeliveryError(DeliveryFault.FOLDER_UNWRITABLE) from None

    async def rest(self) -> None:
        return None

    def _write(self, message: OutgoingMessage) -> None:
        folder = self._folder
        ownership.make_folder(folder, folder.parent)
        place, draft = folder / f"{message.name}.eml", folder / f".{message.name}.part"
        descriptor = ownership.open_or_make(draft, folder, os.O_WRONLY | os.O_TRUNC)
        with os.fdopen(descriptor, "wb") as file:
            file.write(message.raw)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(place)
