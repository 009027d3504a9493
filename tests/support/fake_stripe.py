"""A fake Stripe on loopback, for the real SDK: what softix uses of the API, over real HTTP.

It keeps Stripe's rules where softix depends on them (https://docs.stripe.com/api): idempotency keys are bound to their
parameters, lists are newest first and in pages, a payment intent is made when a page is paid, tax lies in the total, a
refund may wait and fail, and a dispute moves money by balance transactions. Nothing is delivered by itself: a test
delivers events in any order, twice, or never.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from support.stripe_forms import read_form

from softix_proxy.domain.core.clock import SECOND_US, SystemClock

Thing = dict[str, Any]
TAX_PERCENT = 19
"""The rate of the fake's automatic tax."""


class ApiProblemError(Exception):
    def __init__(self, status: int, error: Thing) -> None:
        super().__init__(error.get("code"))
        self.status, self.error = status, error


@dataclass
class Faults:
    """What goes wrong with the next requests."""

    statuses: list[int] = field(default_factory=list)
    """Answered with these instead, one for each request, and nothing is done."""
    cut: int = 0
    """So many changes are done, and their answers never arrive."""
    hold: asyncio.Event | None = None
    """Requests wait for it before they are answered, after they were done."""
    paths: str = ""
    """Only requests whose path contains this are concerned."""


class FakeStripe:
    """The objects by their ids, and what a person, a bank or an operator at Stripe does to them."""

    def __init__(self, *, secret_key: str | None = None, now_s: Callable[[], int] | None = None) -> None:
        self.secret_key = secret_key or f"sk_test_{secrets.token_hex(16)}"
        self.webhook_secret = f"whsec_{secrets.token_hex(20)}"
        self.webhook_url = ""
        self.base_url = ""
        self.things: dict[str, Thing] = {}
        self.events: list[Thing] = []
        self.requests: list[tuple[str, str]] = []
        self.faults = Faults()
        self.keys: dict[str, tuple[str, int, Thing]] = {}
        self.busy: set[str] = set()
        self.charges_made = 0
        self.country, self.currency = "US", "usd"
        self.now_s: Callable[[], int] = now_s or (lambda: SystemClock().now_us() // SECOND_US)
        self._made = 0

    @property
    def is_live(self) -> bool:
        return "_live_" in self.secret_key

    # What happens at Stripe.

    def make(self, prefix: str, kind: str, **values: Any) -> Thing:
        self._made += 1
        made = {
            "id": f"{prefix}_{self._made:06d}{secrets.token_hex(6)}",
            "object": kind,
            "created": self.now_s(),
            "livemode": self.is_live,
            "order": self._made,
            **values,
        }
        self.things[made["id"]] = made
        return made

    def of(self, kind: str, **wanted: Any) -> list[Thing]:
        """The objects of a kind that have these values, the newest first."""
        found = [one for one in self.things.values() if one["object"] == kind]
        found = [one for one in found if all(one.get(name) == value for name, value in wanted.items())]
        return sorted(found, key=lambda one: -int(one["order"]))

    def happen(self, kind: str, about: Thing) -> Thing:
        event = self.make("evt", "event", type=kind, data={"object": _copy(about)}, api_version="2026-10-28.endive")
        self.events.append(event)
        return event

    def pay(self, session_id: str, *, delayed: bool = False, currency: str | None = None, saves: bool = True) -> Thing:
        """A person pays on the page. `delayed` is a bank transfer: the page is complete, and the money is not there."""
        session = self.things[session_id]
        if session["status"] != "open":
            raise AssertionError(f"the page is {session['status']}")
        data = session["payment_intent_data"]
        intent = self.make(
            "pi",
            "payment_intent",
            amount=session["amount_total"],
            amount_received=0,
            currency=currency or session["currency"],
            customer=session["customer"],
            status="processing",
            metadata=dict(data.get("metadata") or {}),
            last_payment_error=None,
            latest_charge=None,
        )
        if saves and data.get("setup_future_usage") == "off_session":
            self.add_method(session["customer"])
        session.update(status="complete", payment_status="unpaid", payment_intent=intent["id"])
        session["currency"] = intent["currency"]
        if delayed:
            self.happen("checkout.session.completed", session)
        else:
            self._receive(intent)
            session["payment_status"] = "paid"
            self.happen("checkout.session.completed", session)
        return intent

    def arrive(self, session_id: str) -> None:
        """The money of a delayed payment arrives."""
        session = self.things[session_id]
        self._receive(self.things[session["payment_intent"]])
        session["payment_status"] = "paid"
        self.happen("checkout.session.async_payment_succeeded", session)

    def bounce(self, session_id: str) -> None:
        """The money of a delayed payment does not arrive."""
        session = self.things[session_id]
        intent = self.things[session["payment_intent"]]
        intent.update(status="requires_payment_method", last_payment_error={"code": "insufficient_funds"})
        self.happen("checkout.session.async_payment_failed", session)

    def decline_on_page(self, session_id: str) -> None:
        """A card is declined. The page stays open for another one."""
        session = self.things[session_id]
        intent = self.make(
            "pi",
            "payment_intent",
            amount=session["amount_total"],
            amount_received=0,
            currency=session["currency"],
            customer=session["customer"],
            status="requires_payment_method",
            metadata=dict(session["payment_intent_data"].get("metadata") or {}),
            last_payment_error={"code": "card_declined", "decline_code": "generic_decline"},
            latest_charge=None,
        )
        self.happen("payment_intent.payment_failed", intent)

    def expire(self, session_id: str) -> None:
        self.things[session_id]["status"] = "expired"
        self.happen("checkout.session.expired", self.things[session_id])

    def _receive(self, intent: Thing) -> None:
        self.charges_made += 1
        charge = self.make(
            "ch",
            "charge",
            amount=intent["amount"],
            currency=intent["currency"],
            payment_intent=intent["id"],
            metadata=dict(intent["metadata"]),
            status="succeeded",
        )
        intent.update(
            status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"], last_payment_error=None
        )
        self.happen("payment_intent.succeeded", intent)

    def send_back(self, intent_id: str, cents: int, *, status: str = "succeeded", metadata: Any = None) -> Thing:
        """A refund, as the dashboard or the API makes it."""
        intent = self.things[intent_id]
        gone = sum(
            one["amount"]
            for one in self.of("refund", payment_intent=intent_id)
            if one["status"] not in ("failed", "canceled")
        )
        if not 0 < cents <= intent["amount_received"] - gone:
            raise ApiProblemError(400, {"type": "invalid_request_error", "code": "charge_already_refunded"})
        refund = self.make(
            "re",
            "refund",
            amount=cents,
            currency=intent["currency"],
            payment_intent=intent_id,
            charge=intent["latest_charge"],
            status=status,
            metadata=dict(metadata or {}),
        )
        self.happen("refund.created", refund)
        self.happen("charge.refunded", self.things[intent["latest_charge"]])
        return refund

    def turn_refund(self, refund_id: str, status: str) -> None:
        """A waiting refund goes on: `succeeded`, `failed` or `canceled`."""
        self.things[refund_id]["status"] = status
        self.happen("refund.failed" if status == "failed" else "refund.updated", self.things[refund_id])

    def dispute(self, intent_id: str, cents: int | None = None, *, inquiry: bool = False) -> Thing:
        """A bank takes the money back. An inquiry only asks."""
        intent = self.things[intent_id]
        cents = intent["amount_received"] if cents is None else cents
        dispute = self.make(
            "du",
            "dispute",
            amount=cents,
            currency=intent["currency"],
            payment_intent=intent_id,
            charge=intent["latest_charge"],
            status="warning_needs_response" if inquiry else "needs_response",
            balance_transactions=[],
        )
        self.happen("charge.dispute.created", dispute)
        if not inquiry:
            self._move(dispute, -cents, fee=1500)
            self.happen("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def close_dispute(self, dispute_id: str, *, won: bool) -> None:
        dispute = self.things[dispute_id]
        dispute["status"] = "won" if won else "lost"
        if won:
            self._move(dispute, dispute["amount"], fee=0)
            self.happen("charge.dispute.funds_reinstated", dispute)
        self.happen("charge.dispute.closed", dispute)

    def _move(self, dispute: Thing, cents: int, *, fee: int) -> None:
        moved = {"id": f"txn_{secrets.token_hex(8)}", "object": "balance_transaction", "type": "adjustment"}
        moved |= {"amount": cents, "fee": fee, "net": cents - fee, "currency": dispute["currency"]}
        dispute["balance_transactions"].append(moved)

    def add_method(self, customer_id: str, behaviour: str = "works") -> Thing:
        """A saved card: `works`, `declined` or `asks` (for the person)."""
        return self.make("pm", "payment_method", customer=customer_id, type="card", behaviour=behaviour)

    # Events on their way.

    def signed(self, event: Thing, *, secret: str | None = None, at_s: int | None = None) -> tuple[bytes, str]:
        """The body and the signature of an event, as Stripe sends them."""
        body = json.dumps({name: value for name, value in event.items() if name != "order"}).encode()
        at_s = self.now_s() if at_s is None else at_s
        key = (self.webhook_secret if secret is None else secret).encode()
        digest = hmac.new(key, str(at_s).encode() + b"." + body, hashlib.sha256).hexdigest()
        return body, f"t={at_s},v1={digest}"

    async def deliver(self, event: Thing) -> int:
        """Sends an event once, and returns the status of the answer."""
        body, signature = self.signed(event)
        headers = {"Stripe-Signature": signature, "Content-Type": "application/json; charset=utf-8"}
        async with (
            aiohttp.ClientSession() as http,
            http.post(self.webhook_url, data=body, headers=headers) as answer,
        ):
            return answer.status

    async def deliver_all(self, order: Callable[[list[Thing]], list[Thing]] = list, *, tries: int = 5) -> None:
        """Sends the events that were not sent, in this order, each until it is taken."""
        waiting, self.events = order(self.events), []
        for _ in range(tries):
            waiting = [event for event in waiting if not 200 <= await self.deliver(event) < 300]
            if not waiting:
                return
        raise AssertionError(f"{len(waiting)} events were never taken")

    # The API.

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/pay/{id}", self._page)
        app.router.add_post("/pay/{id}", self._paid)
        app.router.add_get("/manage/{id}", self._manage)
        app.router.add_route("*", "/v1/{path:.*}", self._api)
        return app

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.requests.append((request.method, path))
        if request.headers.get("Authorization") != f"Bearer {self.secret_key}":
            return _problem(401, {"type": "invalid_request_error", "message": "Invalid API Key provided"})
        concerned = self.faults.paths in path
        if self.faults.statuses and concerned:
            status = self.faults.statuses.pop(0)
            return _problem(status, {"type": "api_error", "message": "a fault", "code": "fault"})
        raw = (await request.read()).decode()
        params = read_form(raw if request.method == "POST" else request.query_string)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        status, answer = self._once(key, path, raw, lambda: self._answer(request.method, path, params))
        if self.faults.hold is not None and concerned:
            await self.faults.hold.wait()
        if self.faults.cut and concerned and request.method == "POST":
            self.faults.cut -= 1
            if request.transport is not None:
                request.transport.close()
        return web.json_response(answer, status=status, headers={"Request-Id": "req_fake"})

    def _once(self, key: str | None, path: str, raw: str, act: Callable[[], Thing]) -> tuple[int, Thing]:
        """Does what an idempotency key stands for once. Errors of a request that was begun are kept, too."""
        if key is not None and key in self.keys:
            digest, status, answer = self.keys[key]
            if digest != f"{path} {raw}":
                error = {"type": "idempotency_error", "message": "Keys can only be used with the same parameters"}
                return 400, {"error": error}
            return status, answer
        try:
            status, answer = 200, act()
        except ApiProblemError as problem:
            status, answer = problem.status, {"error": {"message": "refused", **problem.error}}
        answer = _copy(answer)
        if key is not None:
            self.keys[key] = (f"{path} {raw}", status, answer)
        return status, answer

    def _answer(self, method: str, path: str, params: Thing) -> Thing:
        parts = path.split("/")
        if method == "GET":
            return self._read(path, parts, params)
        makers: dict[str, Callable[[Thing], Thing]] = {
            "customers": self._customer,
            "checkout/sessions": self._session,
            "billing_portal/sessions": self._portal_session,
            "payment_intents": self._intent,
            "refunds": self._refund,
            "webhook_endpoints": self._endpoint,
        }
        if path not in makers:
            raise ApiProblemError(
                404, {"type": "invalid_request_error", "message": f"Unrecognized request URL: {path}"}
            )
        return makers[path](params)

    def _read(self, path: str, parts: list[str], params: Thing) -> Thing:
        kinds = {
            "customers": "customer",
            "checkout/sessions": "checkout.session",
            "payment_intents": "payment_intent",
            "refunds": "refund",
            "disputes": "dispute",
            "events": "event",
        }
        if path == "account":
            return {
                "id": "acct_fake",
                "object": "account",
                "charges_enabled": True,
                "default_currency": self.currency,
                "country": self.country,
            }
        if path in kinds:
            return self._listed(self.of(kinds[path]), params)
        if len(parts) == 3 and parts[0] == "customers" and parts[2] == "payment_methods":
            return self._listed(self.of("payment_method", customer=parts[1]), params)
        found = self.things.get(parts[-1])
        if found is None or kinds.get("/".join(parts[:-1])) != found["object"]:
            raise ApiProblemError(404, {"type": "invalid_request_error", "code": "resource_missing"})
        return found

    def _listed(self, found: list[Thing], params: Thing) -> Thing:
        since = int((params.get("created") or {}).get("gte", 0))
        types = params.get("types")
        chosen = [
            one
            for one in found
            if one["created"] >= since
            and all(one.get(name) == params[name] for name in ("customer", "payment_intent") if name in params)
            and (types is None or one.get("type") in types)
        ]
        if "starting_after" in params:
            ids = [one["id"] for one in chosen]
            chosen = chosen[ids.index(params["starting_after"]) + 1 :]
        limit = int(params.get("limit", 10))
        return {"object": "list", "data": chosen[:limit], "has_more": len(chosen) > limit, "url": "/v1/x"}

    def _customer(self, params: Thing) -> Thing:
        named = {"name": params.get("name"), "email": params.get("email"), "metadata": params.get("metadata", {})}
        return self.make("cus", "customer", **named, invoice_settings={"default_payment_method": None})

    def _session(self, params: Thing) -> Thing:
        for name in ("mode", "customer", "line_items", "success_url"):
            if name not in params:
                raise ApiProblemError(
                    400, {"type": "invalid_request_error", "code": "parameter_missing", "param": name}
                )
        lines = [line["price_data"] for line in params["line_items"]]
        subtotal = sum(
            int(line["price_data"]["unit_amount"]) * int(line.get("quantity", 1)) for line in params["line_items"]
        )
        taxed = (params.get("automatic_tax") or {}).get("enabled") == "true"
        tax = (subtotal * TAX_PERCENT + 50) // 100 if taxed else 0
        session = self.make(
            "cs_test",
            "checkout.session",
            mode=params["mode"],
            customer=params["customer"],
            client_reference_id=params.get("client_reference_id"),
            metadata=params.get("metadata", {}),
            payment_intent_data=params.get("payment_intent_data", {}),
            currency=lines[0]["currency"],
            amount_subtotal=subtotal,
            amount_total=subtotal + tax,
            total_details={"amount_tax": tax, "amount_discount": 0, "amount_shipping": 0},
            status="open",
            payment_status="unpaid",
            payment_intent=None,
            success_url=params["success_url"],
            cancel_url=params.get("cancel_url"),
            line_items_sent=lines,
        )
        session["url"] = f"{self.base_url}/pay/{session['id']}"
        return session

    def _portal_session(self, params: Thing) -> Thing:
        made = self.make("bps", "billing_portal.session", customer=params["customer"], return_url=params["return_url"])
        made["url"] = f"{self.base_url}/manage/{made['id']}"
        return made

    def _intent(self, params: Thing) -> Thing:
        method = self.things.get(params.get("payment_method", ""))
        if method is None or method["customer"] != params["customer"]:
            raise ApiProblemError(400, {"type": "invalid_request_error", "code": "resource_missing"})
        intent = self.make(
            "pi",
            "payment_intent",
            amount=int(params["amount"]),
            amount_received=0,
            currency=params["currency"],
            customer=params["customer"],
            status="processing",
            metadata=params.get("metadata", {}),
            last_payment_error=None,
            latest_charge=None,
        )
        if method["behaviour"] == "works":
            self._receive(intent)
            return intent
        codes = {"declined": ("card_declined", "insufficient_funds"), "asks": ("authentication_required", None)}
        code, decline = codes[method["behaviour"]]
        intent.update(status="requires_payment_method", last_payment_error={"code": code, "decline_code": decline})
        self.happen("payment_intent.payment_failed", intent)
        error = {"type": "card_error", "code": code, "decline_code": decline, "payment_intent": intent}
        raise ApiProblemError(402, error)

    def _refund(self, params: Thing) -> Thing:
        return self.send_back(params["payment_intent"], int(params["amount"]), metadata=params.get("metadata"))

    def _endpoint(self, params: Thing) -> Thing:
        self.webhook_url = params["url"]
        listened = {"url": params["url"], "enabled_events": params["enabled_events"], "status": "enabled"}
        return self.make("we", "webhook_endpoint", **listened, secret=self.webhook_secret)

    # The pages that a browser sees.

    async def _page(self, request: web.Request) -> web.Response:
        session = self.things[request.match_info["id"]]
        amount = f"{session['amount_total'] // 100}.{session['amount_total'] % 100:02d}"
        return web.Response(
            text=f"<!doctype html><title>Checkout</title><h1>Pay US${amount}</h1><form method=post>"
            "<button name=what value=pay>Pay</button><button name=what value=cancel>Back</button></form>",
            content_type="text/html",
        )

    async def _paid(self, request: web.Request) -> web.Response:
        session = self.things[request.match_info["id"]]
        if (await request.post()).get("what") == "pay":
            self.pay(session["id"])
            raise web.HTTPSeeOther(session["success_url"])
        raise web.HTTPSeeOther(session["cancel_url"])

    async def _manage(self, request: web.Request) -> web.Response:
        back = self.things[request.match_info["id"]]["return_url"]
        return web.Response(
            text=f'<!doctype html><title>Cards</title><a href="{back}">Back</a>', content_type="text/html"
        )


def _problem(status: int, error: Thing) -> web.Response:
    return web.json_response({"error": error}, status=status, headers={"Request-Id": "req_fake"})


def _copy(thing: Thing) -> Thing:
    copied: Thing = json.loads(json.dumps(thing))
    return copied


async def started(fake: FakeStripe) -> Callable[[], Awaitable[None]]:
    """Serves the fake on a free port of loopback. Returns what ends it."""
    runner = web.AppRunner(fake.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    fake.base_url = f"http://127.0.0.1:{port}"
    return runner.cleanup
