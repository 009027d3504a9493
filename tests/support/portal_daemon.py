"""A daemon with the portal, as a process of its own, whose messages go into a folder."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from support.daemon import Instance, Prepared

_LINK = re.compile(r'href="([^"]*(?:[?&]token=|/invitations/)[^"]*)"')
_LONGEST_WAIT_S = 30


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@dataclass
class PortalDaemon:
    """An instance whose daemon serves the portal at `url`."""

    instance: Instance
    url: str

    def cli(self, *arguments: str) -> Any:
        """A command that knows the public URL, as one of the operator does."""
        return self.instance.cli(*arguments, SOFTIX_PORTAL_PUBLIC_URL=self.url)

    @property
    def mail_folder(self) -> Path:
        return self.instance.data_dir / "mail"

    def messages(self, to: str) -> Sequence[EmailMessage]:
        found = [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted(self.mail_folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        ]
        return [message for message in found if isinstance(message, EmailMessage) and message["To"] == to]

    async def message(self, to: str, subject: str) -> EmailMessage:
        """The newest message to somebody with this subject. It waits for one."""
        async with asyncio.timeout(_LONGEST_WAIT_S):
            while True:
                found = [message for message in self.messages(to) if subject in message["Subject"]]
                if found:
                    return found[-1]
                await asyncio.sleep(0.05)  # a file that appears gives no event

    async def link(self, to: str, subject: str) -> str:
        """The path of the link in that message."""
        part: Any = (await self.message(to, subject)).get_body(("html",))
        return self.path_in(part.get_content())

    def path_in(self, html: str) -> str:
        """The path of the link in this text of a message."""
        found = _LINK.search(html)
        assert found is not None, "the message has no link"
        return found[1].replace("&amp;", "&").removeprefix(self.url)


@asynccontextmanager
async def portal_daemon(prepared: Prepared, **variables: str) -> AsyncIterator[PortalDaemon]:
    """Serves the portal beside the proxy until the block ends."""
    port = free_port()
    url = f"http://localhost:{port}"
    settings = {
        "SOFTIX_PORTAL_ENABLED": "true",
        "SOFTIX_PORTAL_PORT": str(port),
        "SOFTIX_PORTAL_PUBLIC_URL": url,
        **variables,
    }
    async with prepared.instance.serving(**settings):
        yield PortalDaemon(prepared.instance, url)
