"""Webhooks: keeping them, telling them of events, and sending."""

import json
import logging
import random
import secrets
from base64 import b64encode
from datetime import timedelta
from typing import Any

import httpx
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal import outgoing, webhooks
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.actions import record
from portal.errors import Conflict, Invalid
from portal.sealing import seal, unseal

from .models import Delivery, DeliveryState, Webhook

logger = logging.getLogger(__name__)

AT_MOST = 20
# A try that takes longer belongs to a worker that died: another one takes over.
LEASE = timedelta(seconds=90)
# Kinds of events that can be chosen; apps add theirs at start.
KINDS: dict[str, str] = {}


def kinds_register(kinds: dict[str, str]) -> None:
    """Declare kinds of events ({noun.verb: words}) that webhooks can be told of."""
    KINDS.update(kinds)


def url_check(url: str) -> str:
    """A webhook's address, fit to be kept. Raises Invalid: not http(s), a password in it, a private address."""
    text = url.strip()
    try:
        parsed = httpx.URL(text)
        if parsed.username or parsed.password:
            raise Invalid(
                "Leave user and password out of the address; messages are signed.", field="url", code="secret_in_url"
            )
        if len(text) > 500:
            raise Invalid("An address has at most 500 characters.", field="url", code="too_long")
        outgoing.address_of(parsed)
    except (httpx.InvalidURL, ValueError) as error:
        raise Invalid(
            f"“{text[:100]}” is not an address such as https://example.com/hook.", field="url", code="invalid_url"
        ) from error
    except outgoing.NotReached as error:
        raise Invalid(f"{str(error)[:1].upper()}{str(error)[1:]}", field="url", code=error.code) from error
    return text


def _kinds(kinds: list[str]) -> list[str]:
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise Invalid(
            f"“{unknown[0]}” is no kind of event; use {', '.join(sorted(KINDS))}.", field="kinds", code="unknown_kind"
        )
    return sorted(set(kinds))


def webhook_create(
    *, by: User | None, network: Network, url: str, kinds: list[str] | None = None
) -> tuple[Webhook, str]:
    """Make a webhook; returns it and its secret (`whsec_…`), which is never shown again. Needs `change` on the network."""
    access.require(by, "change", network)
    address, chosen = url_check(url), _kinds(kinds or [])
    secret = "whsec_" + b64encode(secrets.token_bytes(24)).decode()
    try:
        with transaction.atomic():
            # One at a time per network, so that the count below holds.
            Network.objects.select_for_update(no_key=True).get(pk=network.pk)
            if Webhook.objects.filter(network=network).count() >= AT_MOST:
                raise Conflict(f"A network has at most {AT_MOST} webhooks; delete one first.", code="too_many")
            webhook = Webhook.objects.create(network=network, url=address, kinds=chosen, secret=seal(secret))
            record(
                event="webhook.create", obj=webhook, by=by, changes={"url": [None, address], "kinds": [None, chosen]}
            )
    except IntegrityError as error:
        raise Conflict("There is a webhook with this address already.", field="url", code="already_there") from error
    return webhook, secret


def webhook_update(*, by: User | None, webhook: Webhook, kinds: list[str], is_active: bool) -> Webhook:
    """Choose what it is told of, and switch it on or off. What waits goes out once it is on again."""
    access.require(by, "change", webhook)
    chosen = _kinds(kinds)
    with transaction.atomic():
        row = Webhook.objects.select_for_update(no_key=True).get(pk=webhook.pk)
        changes = {"kinds": [row.kinds, chosen], "is_active": [row.is_active, is_active]}
        row.kinds, row.is_active = chosen, is_active
        if is_active:
            row.off_because = ""
        row.save(update_fields=["kinds", "is_active", "off_because"])
        record(event="webhook.update", obj=row, by=by, changes=changes)
    return row


def webhook_delete(*, by: User | None, webhook: Webhook) -> None:
    """Delete a webhook with its log."""
    access.require(by, "change", webhook)
    with transaction.atomic():
        record(event="webhook.delete", obj=webhook, by=by, changes={"url": [webhook.url, None]})
        webhook.delete()


def emit(*, network: Network, kind: str, data: dict[str, Any], key: str) -> int:
    """Tell the network's webhooks of an event; call it inside the transaction whose change it tells of.

    kind: one of `KINDS`; data: what can be told as JSON, no secrets; key: the same is sent once. Returns how many webhooks
    will be told.
    """
    now = timezone.now()
    body = {"type": kind, "timestamp": now.isoformat(), "network": network.pk, "data": data}
    rows = [
        Delivery(webhook=webhook, kind=kind, body=body, key=key)
        for webhook in Webhook.objects.filter(network=network, is_active=True)
        if not webhook.kinds or kind in webhook.kinds
    ]
    if rows:
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)
        transaction.on_commit(_wake)
    return len(rows)


def _wake() -> None:
    from .tasks import send_deliveries

    try:
        send_deliveries.delay()
    except Exception as error:
        logger.warning("the broker cannot be reached; webhooks go out with the next beat: %s", error)


def _claim() -> Delivery | None:
    """One message that is due, leased to us."""
    with transaction.atomic():
        row = (
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("webhook")
            .filter(state=DeliveryState.WAITING, next_at__lte=timezone.now(), webhook__is_active=True)
            .order_by("next_at")
            .first()
        )
        if row is not None:
            row.next_at = timezone.now() + LEASE
            row.tries += 1
            row.save(update_fields=["next_at", "tries"])
    return row


def deliveries_send(*, limit: int = 200) -> int:
    """Send what is due, at least once each. Returns how many were delivered."""
    delivered = 0
    for _ in range(limit):
        row = _claim()
        if row is None:
            break
        delivered += _send(row)
    return delivered


def _send(row: Delivery) -> bool:
    """One try, and what it means for the message. 2xx delivers; 410 switches the webhook off (Standard Webhooks)."""
    body = json.dumps(row.body, separators=(",", ":")).encode()
    status, error = None, ""
    try:
        headers = webhooks.signed_headers(unseal(row.webhook.secret), str(row.pk), body)
        answer = outgoing.post(row.webhook.url, body, {**headers, "Content-Type": "application/json"})
        status = answer.status
        error = "" if 200 <= status < 300 else f"answered {status}"
    except outgoing.NotReached as failure:
        error = str(failure)
    except Exception as failure:
        logger.exception("a webhook could not be sent")
        error = f"{type(failure).__name__}"
    now = timezone.now()
    mine = Delivery.objects.filter(pk=row.pk, state=DeliveryState.WAITING, tries=row.tries)
    if not error:
        return bool(mine.update(state=DeliveryState.DONE, delivered_at=now, last_status=status, last_error=""))
    if status == 410:
        Webhook.objects.filter(pk=row.webhook_id).update(is_active=False, off_because="It answered 410 Gone.")
    waits = webhooks.RETRY_SECONDS
    if row.tries >= len(waits):
        mine.update(state=DeliveryState.FAILED, last_status=status, last_error=error[:250])
    else:
        wait = waits[row.tries] * random.uniform(0.9, 1.1)  # noqa: S311 - spreads the load, no secret
        mine.update(next_at=now + timedelta(seconds=wait), last_status=status, last_error=error[:250])
    return False


def delivery_replay(*, by: User | None, delivery: Delivery) -> None:
    """Send a message again from the start of its schedule, delivered or not; its id stays the same."""
    access.require(by, "change", delivery)
    with transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(
            state=DeliveryState.WAITING, tries=0, next_at=timezone.now(), last_error="", delivered_at=None
        )
        record(event="webhook.replay", obj=delivery.webhook, by=by, changes={"message": [None, str(delivery.pk)]})
        transaction.on_commit(_wake)
