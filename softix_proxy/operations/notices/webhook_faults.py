"""Says in words why an event did not arrive, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from softix_proxy.domain.ports.webhook_post import WebhookAnswer, WebhookFault


class ExplainedWebhookFault(NamedTuple):
    message: str
    remedy: str


_EXPLAINED: Mapping[WebhookFault, ExplainedWebhookFault] = {
    WebhookFault.UNREACHABLE: ExplainedWebhookFault(
        "the receiver cannot be reached", "check the URL, that it runs, and that no firewall stands between"
    ),
    WebhookFault.TIMED_OUT: ExplainedWebhookFault(
        "the receiver did not answer in time", "let it answer first, and do its work afterwards"
    ),
    WebhookFault.BROKE_OFF: ExplainedWebhookFault(
        "the receiver broke the connection off, or speaks no HTTP", "check the URL, and the receiver's own log"
    ),
    WebhookFault.TLS_FAILED: ExplainedWebhookFault(
        "the receiver has no certificate that can be trusted",
        "check its certificate; for an authority of your own set upstream.ca_file",
    ),
    WebhookFault.PRIVATE_ADDRESS: ExplainedWebhookFault(
        "the receiver's name leads to an address of this machine, of a private network, or of a cloud's secrets",
        "check its DNS; for a private network add it anew with --allow-private",
    ),
    WebhookFault.REDIRECTED: ExplainedWebhookFault(
        "the receiver answered with a redirect, which is not followed", "add the URL to which it leads"
    ),
    WebhookFault.GONE: ExplainedWebhookFault(
        "the receiver answered 410, which says that it wants no events", "enable the endpoint if it wants them again"
    ),
    WebhookFault.REFUSED: ExplainedWebhookFault(
        "the receiver did not accept the event", "see the receiver's own log; it must answer 2xx"
    ),
    WebhookFault.SECRET_UNREADABLE: ExplainedWebhookFault(
        "the endpoint's secret does not open any more", "give it a new one: softix webhooks rotate-secret ENDPOINT"
    ),
    WebhookFault.DISABLED: ExplainedWebhookFault(
        "the endpoint is disabled", "enable it: softix webhooks enable ENDPOINT"
    ),
    WebhookFault.INTERNAL: ExplainedWebhookFault("the event could not be sent", "see the log of softix"),
}


def explained(answer: WebhookAnswer) -> ExplainedWebhookFault:
    """Returns what is wrong and what to do. The answer has a fault."""
    told = _EXPLAINED[answer.fault or WebhookFault.INTERNAL]
    if answer.fault is WebhookFault.REFUSED and answer.status_code is not None:
        return told._replace(message=f"{told.message}: it answered {answer.status_code}")
    return told
