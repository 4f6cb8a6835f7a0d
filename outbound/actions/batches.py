"""Batches: making, changing, deleting."""

from typing import Any

from django.db import transaction

from campaigns.models import Campaign
from outbound.choices import FINISHED, BatchStatus
from outbound.models import Batch, BatchDoNotCall, BatchImport, Carrier, Recipient
from outbound.schedule import DEFAULT_HOURS
from outbound.secrets import kept, shown
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.actions import changes_between, record
from portal.errors import Conflict, Invalid

from .common import locked, rows
from .rules import CHANGEABLE_LIVE, fields_clean, schedule_problems
from .windows import windows_renew


def batch_create(*, by: User | None, network: Network, **values: Any) -> Batch:
    """Make a draft. `name` and `ani` are required; `carrier` defaults to the network's first; hours to 8 to 21 every day.

    Needs `change` on the campaign that the ani belongs to (Member of the network, or a grant). Raises Invalid with
    every problem of the input, NotAllowed.
    """
    problems: list[tuple[str | None, str, str]] = []
    values.setdefault("name", "")
    values.setdefault("ani", "")
    values.setdefault("hours", DEFAULT_HOURS)
    if values.get("carrier") is None:
        values["carrier"] = Carrier.objects.filter(network=network, is_enabled=True).order_by("pk").first()
    clean = fields_clean(network, values, problems)
    problems += schedule_problems(clean.get("starts_at"), clean.get("expires_at"))
    if problems:
        raise Invalid.of(problems)
    access.require(by, "change", Campaign.objects.get(pk=clean["campaign_id"]))
    lists = clean.pop("do_not_call_lists", [])
    with transaction.atomic():
        batch = Batch.objects.create(network=network, created_by=by, **clean)
        BatchDoNotCall.objects.bulk_create(BatchDoNotCall(batch=batch, list=item) for item in lists)
        record(event="batch.create", obj=batch, by=by, changes={"ani": [None, batch.ani]})
    return batch


def batch_update(*, by: User | None, batch: Batch, **values: Any) -> Batch:
    """Change fields. Everything before the start; afterwards pace, priority, hours, expiry, retries and the like.

    Needs `change`. A change of hours or holidays takes effect with the next claim. Raises Invalid, Conflict.
    """
    access.require(by, "change", batch)
    problems: list[tuple[str | None, str, str]] = []
    clean = fields_clean(batch.network, values, problems)
    with locked(batch) as now:
        if now.status in FINISHED:
            raise Conflict("The batch is finished; make a new one.", code="batch_finished")
        fixed = sorted(set(values) - CHANGEABLE_LIVE)
        if fixed and now.status not in (BatchStatus.DRAFT, BatchStatus.SCHEDULED):
            raise Conflict(
                f"The batch has started; {', '.join(fixed)} can no longer be changed. Stop it and make a new one.",
                code="batch_started", field=fixed[0],
            )  # fmt: skip
        if {"starts_at", "expires_at"} & set(clean):
            starts = clean.get("starts_at", now.starts_at)
            problems += schedule_problems(starts, clean.get("expires_at", now.expires_at))
        if problems:
            raise Invalid.of(problems)
        if clean.get("campaign_id", now.campaign_id) != now.campaign_id:
            access.require(by, "change", Campaign.objects.get(pk=clean["campaign_id"]))
        lists = clean.pop("do_not_call_lists", None)
        if "parameters" in clean:
            clean["parameters"] = kept(clean["parameters"], now.parameters)
        before = {name: getattr(now, name) for name in clean}
        for name, value in clean.items():
            setattr(now, name, value)
        if clean:
            now.save(update_fields=[name.removesuffix("_id") for name in clean])
        if lists is not None:
            BatchDoNotCall.objects.filter(batch=now).exclude(list__in=lists).delete()
            BatchDoNotCall.objects.bulk_create(
                [BatchDoNotCall(batch=now, list=item) for item in lists], ignore_conflicts=True
            )
            before["do_not_call_lists"], clean["do_not_call_lists"] = None, [item.name for item in lists]
        changes = changes_between(before, clean)
        if "parameters" in changes:
            # The log is read by many and kept for long: PINs and the like do not stand in it.
            changes["parameters"] = [shown(before["parameters"]), shown(clean["parameters"])]
        if {"hours", "holidays"} & set(changes):
            windows_renew(now, everything=True)
        rows("UPDATE outbound_batchstate SET look_at = '2000-01-01Z' WHERE batch_id = %s", [now.pk])
        if changes:
            record(event="batch.change", obj=now, by=by, changes=changes)
    return now


def batch_delete(*, by: User | None, batch: Batch) -> None:
    """Delete a draft with its recipients and imports. Needs `change`. Raises Conflict once it was started."""
    access.require(by, "change", batch)
    if not Batch.objects.filter(pk=batch.pk, status=BatchStatus.DRAFT).exists():
        raise _no_draft()
    with transaction.atomic():
        # People before the hot row, as everybody takes them (docs/locking.md): if it is no draft any more, all of them stay.
        people = Recipient.objects.filter(batch=batch)._raw_delete("default")  # type: ignore[attr-defined]
        with locked(batch) as now:
            if now.status != BatchStatus.DRAFT:
                raise _no_draft()
            if BatchImport.objects.filter(batch=now, state="running").exists():
                raise Conflict("A list is being imported; cancel that first.", code="import_running")
            record(event="batch.delete", obj=now, by=by, changes={"recipients": [people, None]})
            now.delete()


def _no_draft() -> Conflict:
    return Conflict(
        "Only a draft can be deleted; a batch that was started is history. Stop it instead.", code="wrong_status"
    )
