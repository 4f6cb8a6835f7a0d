"""Twilio's phone numbers by the official SDK, at TWILIO_API_URL, on the account of the settings.

Twilio has no idempotency key. The order's id goes into the number's FriendlyName, by which it is found again.
"""

import random
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from promo_numbers.choices import PromoType

from .port import Held, NothingLeft, Offer, SupplierDown, SupplierRefused, SupplierSilent, Wanted

MARK = "headroom:"
# Numbers of a list go fast: so many of it are asked for before it is said that there is none.
TRIES = 5
_NOT_AVAILABLE = {21422, 21421}
_KINDS = {PromoType.LOCAL: "local", PromoType.MOBILE: "mobile", PromoType.TOLL_FREE: "toll_free"}


class TwilioNumbers:
    """A `Supplier` (port.py). One object for one piece of work: it holds a connection."""

    name = "twilio"

    def __init__(self) -> None:
        http = TwilioHttpClient(timeout=settings.PROMO_NUMBER_SUPPLIER_TIMEOUT, max_retries=0)
        # The SDK refuses empty credentials; Twilio's own refusal says it better.
        account, token = settings.TWILIO_ACCOUNT_SID or "AC", settings.TWILIO_AUTH_TOKEN or "-"
        self._client = Client(account, token, http_client=http)
        if settings.TWILIO_API_URL:
            self._client.api.base_url = settings.TWILIO_API_URL.rstrip("/")

    def search(self, wanted: Wanted, limit: int = 20) -> list[Offer]:
        try:
            return self._search(wanted, limit)
        except (requests.RequestException, TwilioException, ValueError) as error:
            if _status(error) == 404:  # no such country or kind
                return []
            raise _read_error(error) from error

    def _search(self, wanted: Wanted, limit: int) -> list[Offer]:
        numbers = getattr(
            self._client.available_phone_numbers(wanted.country), _KINDS[PromoType(wanted.kind)]
        )  # fmt: skip
        begins = tuple(f"+1{prefix}" for prefix in wanted.prefixes) or ("+",)
        offers: list[Offer] = []
        for how in _questions(wanted):
            for row in numbers.list(voice_enabled=True, limit=limit - len(offers), page_size=min(limit, 50), **how):
                number = str(row.phone_number)
                # What Twilio cannot be asked for exactly is read out of what it offers.
                if number.startswith(begins) and (not wanted.pattern or re.match(wanted.pattern, number)):
                    offers.append(Offer(number, row.locality or "", row.region or "", wanted.kind))
            if len(offers) >= limit:
                break
        return offers

    def buy(self, order_id: UUID, wanted: Wanted, webhook: str = "") -> Held:
        offers = self.search(wanted, limit=30)
        # Others who buy at this moment read the same list.
        random.shuffle(offers)
        for offer in offers[:TRIES]:
            held = self._buy_one(order_id, offer.number, webhook)
            if held is not None:
                return held
        raise NothingLeft(f"Twilio has no {wanted} now.")

    def _buy_one(self, order_id: UUID, number: str, webhook: str) -> Held | None:
        """One request; None when somebody else has just taken that number."""
        calls = {"voice_url": webhook, "voice_method": "POST"} if webhook else {}
        try:
            row = self._client.incoming_phone_numbers.create(
                phone_number=number, friendly_name=f"{MARK}{order_id}", **calls
            )
        except TwilioRestException as error:
            if error.status < 500 and error.code in _NOT_AVAILABLE:
                return None
            if error.status == 429:
                raise SupplierDown("Twilio is asked too often now (HTTP 429).") from error
            if 400 <= error.status < 500:
                raise SupplierRefused(_words(error)) from error
            raise SupplierSilent(_words(error)) from error
        except requests.ConnectTimeout as error:
            raise SupplierDown("Twilio cannot be reached (time-out).") from error
        except requests.ConnectionError as error:
            # “refused” and “broken off” have one class; only the first is certain to have bought nothing.
            if "NewConnectionError" in repr(error) or "Connection refused" in repr(error):
                raise SupplierDown("Twilio cannot be reached.") from error
            raise SupplierSilent(f"Twilio did not answer ({type(error).__name__}).") from error
        except (requests.RequestException, TwilioException, ValueError) as error:
            raise SupplierSilent(f"Twilio did not answer ({type(error).__name__}).") from error
        if not row.sid or not row.phone_number:
            raise SupplierSilent("Twilio's answer names no number.")
        return Held(str(row.phone_number), str(row.sid), order_id, webhook)

    def look_up(self, order_id: UUID) -> Held | None:
        rows = self._asked(
            lambda: self._client.incoming_phone_numbers.list(friendly_name=f"{MARK}{order_id}", limit=20)
        )
        # The filter is Twilio's to apply; what it lets through is read all the same.
        return next((held for held in map(_held, rows) if held.order_id == order_id), None)

    def release(self, reference: str) -> None:
        try:
            self._client.incoming_phone_numbers(reference).delete()
        except (requests.RequestException, TwilioException) as error:
            if _status(error) != 404:
                raise _read_error(error) from error

    def held(self) -> Iterator[Held]:
        rows = self._asked(lambda: self._client.incoming_phone_numbers.list(page_size=1000))
        return map(_held, rows)

    def set_webhook(self, reference: str, webhook: str) -> None:
        numbers = self._client.incoming_phone_numbers(reference)
        self._asked(lambda: numbers.update(voice_url=webhook, voice_method="POST"))

    @staticmethod
    def _asked(ask: Any) -> Any:
        try:
            return ask()
        except (requests.RequestException, TwilioException, ValueError) as error:
            raise _read_error(error) from error


def _questions(wanted: Wanted) -> list[dict[str, Any]]:
    """The parameters of each search: one for every area code and every beginning, as Twilio takes one at a time."""
    common: dict[str, Any] = {}
    if wanted.locality:
        common["in_locality"] = wanted.locality
    if wanted.region:
        common["in_region"] = wanted.region
    if wanted.postal_code and wanted.country in ("US", "CA"):
        common["in_postal_code"] = wanted.postal_code
    # No wildcards between digits: the longest run of digits is asked for.
    digits = max(re.findall(r"\d+", wanted.looks_like), key=len, default="")
    if len(digits) >= 2:
        common["contains"] = digits
    if wanted.prefixes and "contains" not in common:
        return [{**common, "contains": f"+1{prefix}"} for prefix in wanted.prefixes]
    codes = list(wanted.area_codes) or sorted({prefix[:3] for prefix in wanted.prefixes})
    return [{**common, "area_code": code} for code in codes] or [common]


def _held(row: Any) -> Held:
    name = str(row.friendly_name or "")
    order_id = None
    if name.startswith(MARK):
        try:
            order_id = UUID(name.removeprefix(MARK))
        except ValueError:
            order_id = None
    return Held(str(row.phone_number), str(row.sid), order_id, str(row.voice_url or ""), name.startswith(MARK))


def _words(error: TwilioRestException) -> str:
    """What may be shown and logged: never an address or a header of the request."""
    return f"Twilio answered HTTP {error.status}" + (f", error {error.code}." if error.code else ".")


def _status(error: Exception) -> int:
    """The HTTP status of a refusal; 0 where there was none. Of a list the SDK hands it on in the answer only."""
    if isinstance(error, TwilioRestException):
        return int(error.status)
    answers = [given for given in error.args if isinstance(given, Response)]
    return answers[0].status_code if isinstance(error, TwilioException) and answers else 0


def _read_error(error: Exception) -> Exception:
    """A request that buys nothing failed."""
    status = _status(error)
    if 400 <= status < 500 and status != 429:
        return SupplierRefused(
            _words(error) if isinstance(error, TwilioRestException) else f"Twilio answered HTTP {status}."
        )
    return SupplierDown(
        f"Twilio cannot be asked now (HTTP {status})."
        if status
        else f"Twilio cannot be reached ({type(error).__name__})."
    )
