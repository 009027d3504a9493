"""Stripe, by its SDK. It is imported with the first use: 11.5 MB that a daemon without payments does not need.

An error of the SDK holds the request and the response. So none leaves this file: what leaves has Stripe's code, and
the id of the request by which Stripe's support finds it.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ledger.payments import PAYMENT_CURRENCY, FetchedPayment, OnlinePayment, PaymentKind
from softix_proxy.domain.ports.payment_gateway import (
    CustomerGoneError,
    DeclinedError,
    EventHint,
    GatewayAccount,
    GatewayError,
    PaymentOrder,
    RightMissingError,
)
from softix_proxy.operations.ledger.payment_keys import is_live_key, is_restricted_key
from softix_proxy.operations.ledger.payment_setup import EVENTS
from softix_proxy.payments.stripe_objects import PAYMENT_NAME, REFUND_NAME, id_of, is_ours, payment_named, read_payment
from softix_proxy.payments.webhook_signature import hint_of

if TYPE_CHECKING:
    import stripe

_RETRIES = 2
_LISTED = 100
_LOOK_BACK_S = 3600
"""How much earlier than our row Stripe's clock may date an object."""


@asynccontextmanager
async def opened_gateway(
    secret_key: str, *, api_base: str | None = None, timeout_s: float = 15
) -> AsyncIterator[StripeGateway]:
    """Opens Stripe, and closes its connections at the end. Raises FailureError if the SDK is not installed."""
    try:
        import stripe
    except ImportError:
        raise FailureError("the SDK of Stripe is not installed", "pip install 'softix-proxy[stripe]'") from None
    _keep_quiet()
    http: Any = stripe.AIOHTTPClient(timeout=timeout_s)  # its `close_async` has no types
    client = stripe.StripeClient(
        secret_key,
        http_client=http,
        max_network_retries=_RETRIES,
        base_addresses={"api": api_base} if api_base else None,
    )
    try:
        yield StripeGateway(client, is_live=is_live_key(secret_key), is_restricted=is_restricted_key(secret_key))
    finally:
        await http.close_async()


def _keep_quiet() -> None:
    """Stops what the SDK does besides: it tells, writes and logs more than anybody asked for.

    It makes a file in the home folder with the first request. With STRIPE_LOG in the environment it prints what is
    sent, names and addresses, to standard error, and it logs the same at the level DEBUG.
    """
    import stripe
    from stripe import _util

    stripe.enable_telemetry = False
    stripe.log = None
    _util.STRIPE_LOG = None
    logging.getLogger("stripe").disabled = True
    warnings.filterwarnings("ignore", module=r"stripe\b")


class StripeGateway:
    """Implements `domain.ports.payment_gateway.PaymentGateway`."""

    def __init__(self, client: stripe.StripeClient, *, is_live: bool, is_restricted: bool) -> None:
        self._api = client.v1
        self._is_restricted = is_restricted
        self.is_live = is_live

    async def fetch(self, payment: OnlinePayment, customer_id: str | None) -> FetchedPayment:
        async with _told("fetch the payment"):
            session = intent = None
            if payment.kind is PaymentKind.CHECKOUT:
                session = await self._session(payment, customer_id)
                intent_id = id_of((session or {}).get("payment_intent")) or payment.intent_id
                intent = await self._intent(intent_id) if intent_id else None
            elif payment.intent_id is not None:
                intent = await self._intent(payment.intent_id)
            elif customer_id is not None:
                intent = await self._found(self._api.payment_intents, payment, customer_id)
            if intent is None:
                return read_payment(session, None)
            about = {"payment_intent": str(intent["id"]), "limit": _LISTED}
            refunds = [one async for one in _pages(self._api.refunds, about)]
            disputes = [one async for one in _pages(self._api.disputes, about)]
            return read_payment(session, intent, refunds, disputes)

    async def _session(self, payment: OnlinePayment, customer_id: str | None) -> Mapping[str, Any] | None:
        if payment.session_id is not None:
            return (await self._api.checkout.sessions.retrieve_async(payment.session_id)).to_dict()
        return await self._found(self._api.checkout.sessions, payment, customer_id) if customer_id else None

    async def _intent(self, intent_id: str) -> Mapping[str, Any]:
        return (await self._api.payment_intents.retrieve_async(intent_id)).to_dict()

    async def _found(self, service: Any, payment: OnlinePayment, customer_id: str) -> Mapping[str, Any] | None:
        """Looks for the object whose metadata name the payment, in a list: Stripe's search finds it too late."""
        import stripe

        since = payment.created_at_us // SECOND_US - _LOOK_BACK_S
        try:
            async for one in _pages(service, {"customer": customer_id, "created": {"gte": since}, "limit": _LISTED}):
                if is_ours(one, payment.public_id):
                    return one
        except stripe.InvalidRequestError as error:
            if not _is_customer_gone(error):
                raise
        return None

    async def owner(self, hint: EventHint) -> str | None:
        async with _told("fetch what an event is about"):
            if hint.session_id is not None:
                return payment_named((await self._api.checkout.sessions.retrieve_async(hint.session_id)).to_dict())
            return payment_named(await self._intent(hint.intent_id)) if hint.intent_id else None

    async def make_customer(self, claim: str, name: str, email: str, user: str) -> str:
        async with _told("make the customer"):
            made = await self._api.customers.create_async(
                {"name": name, "email": email, "metadata": {"softix_user": user}},
                {"idempotency_key": f"softix-{claim}"},
            )
            return made.id

    async def open_checkout(self, order: PaymentOrder) -> tuple[str, str]:
        payment = order.payment
        intent_data: dict[str, Any] = {
            "metadata": {PAYMENT_NAME: payment.public_id},
            "description": order.description,
            **({"setup_future_usage": "off_session"} if order.saves_method else {}),
        }
        params: dict[str, Any] = {
            "mode": "payment",
            "customer": order.customer_id,
            "client_reference_id": payment.public_id,
            "metadata": {PAYMENT_NAME: payment.public_id},
            "payment_intent_data": intent_data,
            "line_items": _lines(order),
            "adaptive_pricing": {"enabled": False},
            "success_url": order.return_url,
            "cancel_url": order.return_url,
        }
        if order.tax_by_provider:
            params["automatic_tax"] = {"enabled": True}
            params["billing_address_collection"] = "required"
            params["customer_update"] = {"address": "auto", "name": "auto"}
        async with _told("open the page for the payment"):
            made: Any = await self._api.checkout.sessions.create_async(
                params,  # type: ignore[arg-type] # the SDK wants its own TypedDict, which needs the SDK at import
                # Stripe keeps a refusal under its key, too: for another customer it has to be another one.
                {"idempotency_key": f"softix-{payment.public_id}-{order.customer_id}"},
            )
            return str(made.id), str(made.url)

    async def portal_url(self, customer_id: str, return_url: str) -> str:
        async with _told("open the page for payment methods"):
            made = await self._api.billing_portal.sessions.create_async(
                {"customer": customer_id, "return_url": return_url}
            )
            return str(made.url)

    async def charge(self, order: PaymentOrder) -> None:
        payment = order.payment
        async with _told("charge the saved method"):
            method = await self._saved_method(order.customer_id)
            if method is None:
                raise DeclinedError(
                    "there is no saved payment method", "top up once and save the method", code="no_method"
                )
            await self._api.payment_intents.create_async(
                {
                    "amount": payment.asked_total_cents,
                    "currency": PAYMENT_CURRENCY,
                    "customer": order.customer_id,
                    "payment_method": method,
                    "off_session": True,
                    "confirm": True,
                    "description": order.description,
                    "metadata": {PAYMENT_NAME: payment.public_id},
                },
                {"idempotency_key": f"softix-{payment.public_id}"},
            )

    async def _saved_method(self, customer_id: str) -> str | None:
        """Returns the method that the customer chose, or else the newest."""
        customer = (await self._api.customers.retrieve_async(customer_id)).to_dict()
        chosen = id_of((customer.get("invoice_settings") or {}).get("default_payment_method"))
        if chosen is not None:
            return chosen
        listed = await self._api.customers.payment_methods.list_async(customer_id, {"limit": 1})
        return str(listed.data[0].id) if listed.data else None

    async def refund(self, payment: OnlinePayment, request: str, amount_cents: int) -> None:
        if payment.intent_id is None:
            raise GatewayError(f"{payment.public_id} was not paid", "softix payments show")
        async with _told("send the refund"):
            await self._api.refunds.create_async(
                {
                    "payment_intent": payment.intent_id,
                    "amount": amount_cents,
                    "reason": "requested_by_customer",
                    "metadata": {REFUND_NAME: request, PAYMENT_NAME: payment.public_id},
                },
                {"idempotency_key": f"softix-{request}"},
            )

    async def events(self, since_us: int) -> AsyncIterator[EventHint]:
        async with _told("list events"):
            since = {"created": {"gte": since_us // SECOND_US}, "types": list(EVENTS), "limit": _LISTED}
            hints = [
                hint_of(str(event["id"]), bool(event["livemode"]), (event.get("data") or {}).get("object"))
                async for event in _pages(self._api.events, since)
            ]
        for hint in reversed(hints):
            yield hint

    async def account(self) -> GatewayAccount:
        found: Mapping[str, Any] = {}
        try:
            async with _told("look up the account"):
                found = (await self._api.accounts.retrieve_current_async()).to_dict()
        except RightMissingError:
            if not self._is_restricted:
                raise
        can_charge = found.get("charges_enabled", None if self._is_restricted else False)
        return GatewayAccount(
            str(found.get("id") or ""),
            self.is_live,
            None if can_charge is None else bool(can_charge),
            str(found.get("default_currency") or ""),
            str(found.get("country") or ""),
        )

    async def make_webhook(self, url: str) -> str:
        import stripe

        async with _told("make the webhook endpoint"):
            params: dict[str, Any] = {
                "url": url,
                "enabled_events": list(EVENTS),
                "description": "softix",
                "api_version": stripe.api_version,
            }
            made: Any = await self._api.webhook_endpoints.create_async(params)  # type: ignore[arg-type] # as in open_checkout
        return str(made.secret or "")


def _lines(order: PaymentOrder) -> list[dict[str, Any]]:
    """Returns what the page lists: the credit, and the tax of softix's own rates as a line of its own."""
    product: dict[str, Any] = {"name": order.description}
    if order.tax_code:
        product["tax_code"] = order.tax_code
    price: dict[str, Any] = {
        "currency": PAYMENT_CURRENCY,
        "unit_amount": order.payment.asked_cents,
        "product_data": product,
    }
    if order.tax_by_provider:
        price["tax_behavior"] = "exclusive"
    lines: list[dict[str, Any]] = [{"quantity": 1, "price_data": price}]
    if order.payment.asked_tax_cents:
        tax = {
            "currency": PAYMENT_CURRENCY,
            "unit_amount": order.payment.asked_tax_cents,
            "product_data": {"name": order.tax_name},
        }
        lines.append({"quantity": 1, "price_data": tax})
    return lines


async def _pages(service: Any, params: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
    """Yields all objects of a list, page by page."""
    after: dict[str, Any] = {}
    while True:
        page = await service.list_async({**params, **after})
        for one in page.data:
            yield one.to_dict()
        if not page.has_more or not page.data:
            return
        after = {"starting_after": page.data[-1].id}


@asynccontextmanager
async def _told(what: str) -> AsyncIterator[None]:
    """Replaces each error of the SDK by one that has nothing of the request or the response but Stripe's codes."""
    import stripe

    failure: GatewayError
    try:
        yield
        return
    except GatewayError:
        raise
    except stripe.CardError as error:
        failure = DeclinedError("the payment was declined", "another payment method may work", code=_code(error))
    except stripe.AuthenticationError:
        failure = GatewayError(f"Stripe did not accept the key, to {what}", "store it again: softix payments setup")
    except stripe.PermissionError:
        failure = RightMissingError(
            f"Stripe's key has no right to {what}", "use a key with the rights in docs/payments.md"
        )
    except stripe.InvalidRequestError as error:
        refusal = CustomerGoneError if _is_customer_gone(error) else DeclinedError
        failure = refusal(f"Stripe refused to {what}{_request(error)}", "see its dashboard", code=_code(error))
    except stripe.StripeError as error:
        failure = GatewayError(f"Stripe could not {what}{_request(error)}", "it is tried again", code=_code(error))
    except Exception as error:  # noqa: BLE001 - the SDK lets errors of its HTTP client and of its parsers through
        failure = GatewayError(f"Stripe could not {what}: {type(error).__name__}", "it is tried again")
    raise failure from None


def _is_customer_gone(error: Any) -> bool:
    """Decides whether Stripe has no such customer. Something else that is missing says nothing about the customer."""
    return getattr(error, "code", None) == "resource_missing" and getattr(error, "param", None) == "customer"


def _code(error: Any) -> str:
    """Returns Stripe's own code, such as `card_declined`."""
    details = getattr(error, "error", None)
    code = getattr(details, "decline_code", None) or getattr(error, "code", None) or ""
    text = str(code)
    return text if text.isascii() and text.replace("_", "").isalnum() and len(text) <= 64 else ""


def _request(error: Any) -> str:
    request_id = str(getattr(error, "request_id", None) or "")
    plain = request_id.isascii() and request_id.replace("_", "").isalnum() and len(request_id) <= 64
    return f" (its request {request_id})" if request_id and plain else ""
