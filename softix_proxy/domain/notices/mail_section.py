"""The settings of the messages that softix sends to people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from softix_proxy.domain.access.identity import checked_display_name, checked_email
from softix_proxy.domain.core.config import PathUse, setting
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.loopback import is_loopback
from softix_proxy.domain.core.money import parse_usd

MailSecurity = Literal["starttls", "tls", "none"]
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
"""The usual ports: submission (RFC 6409), submission over TLS (RFC 8314), and a relay on the same machine."""
_FOLDER = "mail"


@dataclass(frozen=True, slots=True)
class MailSection:
    """Sets how softix sends messages to people, such as a link to verify an address or a receipt.

    The password of the mail server is no setting. Seal it with: softix mail set-password
    """

    transport: Literal["file", "smtp", "off"] = setting(
        "file",
        "Where messages go: into a folder as .eml files (file), to a mail server (smtp), or nowhere (off).",
        restart=True,
    )
    folder: Path | None = setting(  # noqa: RUF009
        None,
        "The folder of .eml files. Without it, they go to the folder mail in the data directory.",
        use=PathUse.NEW_FOLDER,
        restart=True,
        example="mail",
    )
    host: str | None = setting(None, "The name of the mail server.", restart=True, example="smtp.example.org")
    port: int | None = setting(
        None,
        "The port of the mail server. Without it, 587 for starttls, 465 for tls and 25 for none.",
        restart=True,
        least=1,
        most=65535,
        example=587,
    )
    security: MailSecurity = setting(  # noqa: RUF009
        "starttls",
        "How the connection is encrypted. none is only for a mail server on this machine.",
        restart=True,
    )
    user: str | None = setting(
        None, "The user name at the mail server. Without it, softix does not log in.", restart=True, example="softix"
    )
    ca_file: Path | None = setting(  # noqa: RUF009
        None,
        "The certificates (PEM) to trust instead of the system's, for the mail server.",
        restart=True,
        example="mail-ca.pem",
    )
    from_address: str | None = setting(
        None,
        "The address that messages come from. transport smtp needs it.",
        restart=True,
        item=checked_email,
        words="one plain e-mail address",
        example="softix@example.org",
    )
    from_name: str = setting(
        "softix",
        "The name that messages come from.",
        restart=True,
        item=checked_display_name,
        words="a name on one line",
    )
    reply_to: str | None = setting(
        None,
        "The address that answers go to, if it is not from_address.",
        restart=True,
        item=checked_email,
        words="one plain e-mail address",
        example="support@example.org",
    )
    templates: Path | None = setting(  # noqa: RUF009
        None,
        "A folder of templates that replace those of softix, such as receipt.txt and receipt.html.",
        use=PathUse.FOLDER,
        restart=True,
        example="mail-templates",
    )
    timeout_s: float = setting(
        30, "The longest time for one step with the mail server.", restart=True, least=0.1, most=600
    )
    give_up_after_h: float = setting(
        72, "The hours after which softix gives up a message that cannot be sent.", restart=True, least=0.1, most=720
    )
    keep_days: int = setting(
        35,
        "The days for which sent messages stay listed, without their content. Then they are deleted.",
        restart=True,
        least=32,
        most=3660,
    )
    low_balance_usd: str = setting(
        "5.00",
        "The balance at which people who may pay are told, if they chose no other. 0 tells nobody who did not choose.",
        restart=True,
        item=parse_usd,
        words="an amount in US dollars, such as 5.00",
    )

    @property
    def usual_port(self) -> int:
        return self.port or _PORTS[self.security]

    @property
    def server(self) -> str:
        """The mail server with its port, as people and the place of the password name it."""
        return f"{self.host}:{self.usual_port}"

    def eml_folder(self, data_dir: Path) -> Path:
        return self.folder or data_dir / _FOLDER

    def require(self) -> None:
        """Raises BadInputError if messages cannot be sent in this way, or only in a way that others can read."""
        if self.transport != "smtp":
            return
        if self.host is None:
            raise BadInputError("mail.transport smtp needs a mail server", "set mail.host, or: softix config example")
        if self.from_address is None:
            raise BadInputError(
                "mail.transport smtp needs mail.from_address", "set the address that messages come from"
            )
        if self.security == "none" and not is_loopback(self.host):
            raise BadInputError(
                "mail.security none is only for a mail server on this machine, because links could be read on the way",
                "set mail.security to starttls or tls",
            )
