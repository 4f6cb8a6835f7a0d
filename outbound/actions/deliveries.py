"""Results: sending them, at least once and in order, and sending one again by hand."""

import logging
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from outbound.bodies import body_of
from outbound.choices import DeliveryState
from outbound.models import Batch, ResultDelivery
from outbound.models.batch import new_secret
from portal import outgoing
from portal.accounts import access
from portal.accounts.models import User
from portal.audit.actions import record
from portal.errors import Conflict
from portal.sealing import Unreadable, seal
from portal.webhooks import RETRY_SECONDS, signed_headers

from .common import rows

logger = logging.getLogger(__name__)

AT_ONCE = 20
# Whoever dies with a delivery lets it go that soon; longer than one try can take.
LEASE = timedelta(seconds=60)
GONE = 410


@dataclass(frozen=True)
class _Parcel:
    """One delivery, ready to be sent without the database."""

    delivery: ResultDelivery
    batch: Batch
    body: bytes
    content_type: str


class _Late(Exception):
    """Its turn did not come while it was surely ours."""


def deliveries_send(*, limit: int = 100) -> int:
    """Send up to `limit` results that are due. Returns how many were tried. Safe to run in several workers at once."""
    lease = max(LEASE, timedelta(seconds=2 * outgoing.longest()))
    # No try begins that might still run when somebody else may take the delivery: it would arrive twice, or out of turn.
    until = time.monotonic() + lease.total_seconds() - outgoing.longest()
    taken = [pk for (pk,) in rows("SELECT * FROM outbound_take_deliveries(%s, %s)", [limit, lease])]
    parcels = [
        _packed(one) for one in ResultDelivery.objects.filter(pk__in=taken).select_related("batch").order_by("pk")
    ]
    if not parcels:
        return 0
    with ThreadPoolExecutor(min(AT_ONCE, len(parcels))) as pool:
        for parcel, sent in [(parcel, pool.submit(_posted, parcel, until)) for parcel in parcels]:
            try:
                _note(parcel, *sent.result())
            except _Late:
                _give_back(parcel)
    return len(parcels)


def delivery_replay(*, by: User | None, delivery: ResultDelivery) -> ResultDelivery:
    """Send a result once more, with a fresh row of tries. Needs `change` on its batch; audited.

    A receiver that had said 410 is asked again: the batch's results are switched on again.
    """
    access.require(by, "change", delivery)
    with transaction.atomic():
        _hold(delivery)
        replayed = (
            ResultDelivery.objects.filter(pk=delivery.pk)
            .exclude(state=DeliveryState.PENDING)
            .update(state=DeliveryState.PENDING, tries=0, next_at=timezone.now(), delivered_at=None)
        )
        if not replayed:
            raise Conflict("This result is on its way already.", code="delivery_pending")
        Batch.objects.filter(pk=delivery.batch_id).update(result_disabled_at=None)
        record(
            event="delivery.replay", obj=delivery.batch, by=by, changes={"message": [str(delivery.message_id), None]}
        )
    delivery.refresh_from_db()
    return delivery


def result_secret_renew(*, by: User | None, batch: Batch) -> str:
    """Give a batch's results a new signing secret; returns it (`whsec_…`), which is never shown again. Needs `change`; audited.

    Whatever is sent from now on is signed with it, what waits already as well.
    """
    access.require(by, "change", batch)
    secret = new_secret()
    with transaction.atomic():
        now = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        now.result_secret = seal(secret)
        now.save(update_fields=["result_secret"])
        record(event="batch.result_secret", obj=now, by=by, changes={"result_secret": ["…", "renewed"]})
    return secret


def _hold(delivery: ResultDelivery) -> None:
    """The batch before its deliveries: two workers that hear 410 at once take turns (docs/locking.md)."""
    Batch.objects.select_for_update(no_key=True).get(pk=delivery.batch_id)


def _packed(delivery: ResultDelivery) -> _Parcel:
    body, content_type = body_of(delivery, delivery.batch)
    return _Parcel(delivery, delivery.batch, body, content_type)


def _posted(parcel: _Parcel, until: float) -> tuple[int | None, str]:
    """(HTTP status, error). Runs in a thread and touches no database. Raises _Late after `until`."""
    if time.monotonic() > until:
        raise _Late
    try:
        headers = {"Content-Type": parcel.content_type} | signed_headers(
            parcel.batch.signing_secret(), str(parcel.delivery.message_id), parcel.body
        )
        answer = outgoing.post(parcel.batch.result_url, parcel.body, headers)
    except (outgoing.NotReached, Unreadable) as error:
        return None, f"{error.code}: {error}"
    except Exception as error:  # one poisonous address must not hold up the others
        logger.exception("a result could not be sent")
        return None, type(error).__name__
    return answer.status, "" if 200 <= answer.status < 300 else answer.text[:200]


def _give_back(parcel: _Parcel) -> None:
    """Let a delivery that was taken and not tried be taken again at once, without counting it as a try."""
    mine = ResultDelivery.objects.filter(
        pk=parcel.delivery.pk, state=DeliveryState.PENDING, tries=parcel.delivery.tries
    )
    mine.update(next_at=timezone.now(), tries=F("tries") - 1)


def _note(parcel: _Parcel, status: int | None, error: str) -> None:
    """Write what became of a try. Only 2xx is delivered; 410 ends it for the whole batch."""
    delivery, now = parcel.delivery, timezone.now()
    mine = ResultDelivery.objects.filter(pk=delivery.pk, state=DeliveryState.PENDING, tries=delivery.tries)
    if status is not None and 200 <= status < 300:
        mine.update(state=DeliveryState.DELIVERED, delivered_at=now, last_status=status, last_error="")
    elif status == GONE:
        with transaction.atomic():
            _hold(delivery)
            mine.update(state=DeliveryState.DISABLED, last_status=status, last_error="The receiver wants no more.")
            Batch.objects.filter(pk=delivery.batch_id, result_disabled_at=None).update(result_disabled_at=now)
            ResultDelivery.objects.filter(batch=delivery.batch_id, state=DeliveryState.PENDING).update(
                state=DeliveryState.DISABLED, last_error="The receiver had said 410 to an earlier result."
            )
    elif delivery.tries >= len(RETRY_SECONDS):
        mine.update(state=DeliveryState.FAILED, last_status=status, last_error=error[:250])
        logger.error("a result was given up", extra={"delivery": delivery.pk, "batch": delivery.batch_id})
    else:
        wait = RETRY_SECONDS[delivery.tries] * random.uniform(0.9, 1.1)  # noqa: S311 - no secret
        mine.update(next_at=now + timedelta(seconds=wait), last_status=status, last_error=error[:250])
