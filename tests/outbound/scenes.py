"""Batches with calls in every state: what pages, API, admin and browser are shown."""

from django.utils import timezone

from outbound import actions
from outbound.carriers.port import event
from outbound.choices import EventKind, EventSource
from outbound.models import Attempt, Batch, BatchImport, Recipient, ResultDelivery

from .house import numbers


def apply(house, claimed, *kinds, ended=None, callee=""):
    """Tell the portal what the carrier would."""
    now = timezone.now()
    events = [event(claimed.attempt, EventKind(kind), EventSource.CALLBACK, at=now) for kind in kinds]
    if ended:
        events.append(
            event(claimed.attempt, EventKind.ENDED, EventSource.CALLBACK, at=now, duration=7, callee=callee, **ended)
        )
    actions.events_apply(carrier=house.carrier.pk, events=events)


def asked_out(recipient):
    """The carrier has been asked about an unknown call until nobody would ask again."""
    Attempt.objects.filter(recipient=recipient.pk).update(look_at=None)


def delivery(batch, recipient, state="failed", **values):
    return ResultDelivery.objects.create(batch=batch, recipient=recipient, state=state, **values)


def job_of(batch, **values):
    return BatchImport.objects.create(batch=batch, file_name="list.csv", **values)


def one_of_everything(house):
    """A network whose every page of outbound has something to show; returns the addresses of them all."""
    batch = house.batch(numbers(40), name="Reminders of the spring campaign in Colorado", max_attempts=3, result_url="")
    calls = actions.calls_claim(worker="test", limit=6)
    for one in calls[:3]:
        apply(
            house, one, "accepted", "ringing", "answered", ended={"outcome": "answered", "cause": "16"}, callee="voice"
        )
    apply(house, calls[3], "accepted", ended={"outcome": "busy", "cause": "17"})
    apply(house, calls[4], "accepted", "answered")
    apply(house, calls[5], "lost")
    unknown = Recipient.objects.get(pk=calls[5].recipient)
    asked_out(unknown)
    Batch.objects.filter(pk=batch.pk).update(result_url="https://example.com/results")
    for one, state in zip(calls, ("delivered", "failed", "pending"), strict=False):
        delivery(
            batch, Recipient.objects.get(pk=one.recipient), state=state, last_status=500 if state == "failed" else None
        )
    draft = house.batch([*numbers(20, area="720"), *numbers(5, area="212")], started=False, name="A draft")
    BatchImport.objects.create(batch=draft, file_name="a list with a rather long name.csv", state="done", size=1000, rows_read=30,
                               rows_added=25, rows_refused=5)  # fmt: skip
    BatchImport.objects.create(
        batch=draft, file_name="more.csv", state="running", size=1000, bytes_read=400, step="reading"
    )
    paused = house.batch(numbers(5, area="970"), name="Paused by the portal")
    Batch.objects.filter(pk=paused.pk).update(status="paused", pause_reason="25 carrier errors in a row (HTTP 500)")
    never = actions.do_not_call_list_create(by=None, network=house.network, name="Never")
    actions.do_not_call_add(by=None, to=never, patterns=["+18055550177", "+1900*"], note="asked")
    return {
        "batches": "/outbound/", "batch": f"/outbound/batches/{batch.pk}/", "calls": f"/outbound/batches/{batch.pk}/calls/",
        "call": f"/outbound/batches/{batch.pk}/calls/{unknown.pk}/", "results": f"/outbound/batches/{batch.pk}/results/",
        "paused": f"/outbound/batches/{paused.pk}/", "new": "/outbound/batches/new/",
        "basics": f"/outbound/batches/{draft.pk}/setup/basics/", "lists": f"/outbound/batches/{draft.pk}/lists/",
        "schedule": f"/outbound/batches/{draft.pk}/setup/schedule/", "pace": f"/outbound/batches/{draft.pk}/setup/pace/",
        "review": f"/outbound/batches/{draft.pk}/setup/review/", "queue": "/outbound/queue/", "stuck": "/outbound/queue/stuck/",
        "do-not-call": "/outbound/do-not-call/", "do-not-call-list": f"/outbound/do-not-call/{never.pk}/",
        "carriers": "/outbound/carriers/", "carrier": f"/outbound/carriers/{house.carrier.pk}/",
        "carrier-new": "/outbound/carriers/new/",
    }  # fmt: skip
