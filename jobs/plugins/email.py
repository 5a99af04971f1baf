"""``email``: a message about the run, by an SMTP server."""

from __future__ import annotations

import re
import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from pydantic import Field

from jobs.pipeline.result import Ended
from jobs.plugins.interface import Inputs, Place, PluginError, passed

_ADDRESS = re.compile(r"[^\s@<>,;\"]{1,64}@[A-Za-z0-9.-]{1,253}\Z")


class EmailInputs(Inputs):
    server: str = Field(description="name of the step's secret: smtp://user:password@host:587 or smtps://…")
    sender: str = Field(description="the address that it comes from")
    to: tuple[str, ...] = Field(description="addresses", min_length=1, max_length=50)
    subject: str = Field("", max_length=200, description="what it is about; the app and commit if empty")
    text: str = Field("", max_length=50_000, description="the message")


class Email:
    name = "email"
    version = "1.0.0"
    description = "A message by SMTP, with TLS."
    inputs = EmailInputs

    def run(self, inputs: EmailInputs, at: Place) -> Ended:
        if wrong := [a for a in (inputs.sender, *inputs.to) if not _ADDRESS.match(a)]:
            raise PluginError(f"{wrong[0]!r} is not an address")
        message = EmailMessage()
        message["From"], message["To"] = inputs.sender, ", ".join(inputs.to)
        message["Subject"] = " ".join((inputs.subject or f"{at.app} at {at.commit[:12]}").split())
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(inputs.text or f"{at.repository}: {at.app} at {at.commit}, run {at.run}\n")
        _send(message, at.secret(inputs.server))
        at.say(f"sent to {len(inputs.to)} address{'es' if len(inputs.to) > 1 else ''}")
        return passed()


def _send(message: EmailMessage, server: str) -> None:
    parts = urlsplit(server)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise PluginError("the server's secret is not smtp://user:password@host:port")
    context = ssl.create_default_context()
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    try:
        if parts.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(parts.hostname, parts.port or 465, timeout=30, context=context)
        else:
            connection = smtplib.SMTP(parts.hostname, parts.port or 587, timeout=30)
        with connection:
            if parts.scheme == "smtp" and not local:
                connection.starttls(context=context)
            if parts.username:
                connection.login(unquote(parts.username), unquote(parts.password or ""))
            connection.send_message(message)
    except (OSError, smtplib.SMTPException) as e:
        raise PluginError(f"the mail server {parts.hostname} did not take the message: {e}") from None


plugin = Email()
