"""Numbers without calls go back: notice on the 20th, reminder on the 26th, reclaim on the 27th (domain/promo-numbers.md).

Each step looks at the rows and at the day, not at the tick that woke it: it may run twice, or days late. Whoever was told
late has his days all the same: never fewer between notice and reclaim than by the calendar, and never without a reminder
the day before.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from portal.accounts import access
from portal.accounts.models import Network, User
from portal.accounts.roles import Role
from portal.audit.actions import record
from portal.errors import Conflict, Invalid
from portal.notices.actions import notify
from promo_numbers.choices import NumberState, ReclaimState
from promo_numbers.models import PromoNumber, ReclaimProposal

from .last_calls import last_calls_roll_up
from .limits import network_hold
from .numbers import numbers_release

REASON = "No call for {days} days"
AT_ONCE = 500
Rows = QuerySet[ReclaimProposal]


def reclaim_run(now: datetime | None = None) -> dict[str, int]:
    """Whatever is due at `now`: {"proposed", "reminded", "reclaimed"}. Nothing is reclaimed by books that are behind: the
    last calls are summed up first."""
    now = now or timezone.now()
    if not settings.PROMO_NUMBER_RECLAIM:
        return {"proposed": 0, "reminded": 0, "reclaimed": 0}
    last_calls_roll_up(now)
    today = now.astimezone(UTC).date()
    return {
        "proposed": reclaim_propose(today), "reminded": reclaim_remind(today), "reclaimed": reclaim_execute(today),
    }  # fmt: skip


def quiet_numbers(on: date) -> QuerySet[PromoNumber]:
    """The direct numbers that were in use and without a call for the 45 days before `on`, and since.

    Not the customers' own numbers, which are not ours to take; nor RingPools', which give back what they do not use by
    themselves; nor what somebody has kept within as many days.
    """
    before = on - timedelta(days=settings.PROMO_NUMBER_RECLAIM_AFTER_DAYS)
    rows = PromoNumber.objects.filter(
        Q(last_called_on=None) | Q(last_called_on__lt=before),
        state=NumberState.ACTIVE, ring_pool=None, created_at__lt=datetime.combine(before, time(), UTC),
    ).exclude(supplier="own")  # fmt: skip
    decided = ReclaimProposal.objects.filter(promo_number=OuterRef("pk")).filter(
        Q(state=ReclaimState.PROPOSED) | Q(state=ReclaimState.KEPT, proposed_on__gt=before)
    )
    return rows.filter(~Exists(decided))


def reclaim_propose(today: date) -> int:
    """From the 20th on: propose to take back what had no call for 45 days on that day, and tell each network's Managers.
    Returns how many are new."""
    notice_day = settings.PROMO_NUMBER_RECLAIM_NOTICE_DAY
    if today.day < notice_day:
        return 0
    on = today.replace(day=notice_day)
    days = max(1, settings.PROMO_NUMBER_RECLAIM_DAY - notice_day)
    # Somebody who is told late has as many days as everybody.
    reclaim_on = today + timedelta(days=days)
    told = 0
    for network_id in quiet_numbers(on).order_by().values_list("network_id", flat=True).distinct():
        network = Network.objects.get(pk=network_id)
        with transaction.atomic():
            quiet = quiet_numbers(on).filter(network=network)
            rows = [
                ReclaimProposal(promo_number_id=pk, proposed_on=today, reclaim_on=reclaim_on)
                for pk in quiet.values_list("pk", flat=True)
            ]
            before = _open(network).count()
            ReclaimProposal.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
            new = _open(network).count() - before
            if new > 0:
                _tell(network, new, reclaim_on, "notice", f"{today:%Y-%m-%d}")
            told += max(0, new)
    return told


def _open(network: Network) -> Rows:
    return ReclaimProposal.objects.filter(promo_number__network=network, state=ReclaimState.PROPOSED)


def _still_open(today: date) -> Rows:
    """Open proposals, after those that have settled themselves are closed: called again, or released otherwise."""
    rows = ReclaimProposal.objects.filter(state=ReclaimState.PROPOSED)
    rows.exclude(promo_number__state=NumberState.ACTIVE).update(
        state=ReclaimState.RECLAIMED, note="Released before it was reclaimed."
    )
    days = timedelta(days=settings.PROMO_NUMBER_RECLAIM_AFTER_DAYS)
    rows.filter(promo_number__last_called_on__gte=F("proposed_on") - days).update(state=ReclaimState.CALLED)
    return rows


def _by_network(rows: Rows) -> Iterable[tuple[Network, list[ReclaimProposal]]]:
    found: dict[int, list[ReclaimProposal]] = {}
    for row in rows.select_related("promo_number__network", "promo_number__campaign").order_by("pk"):
        found.setdefault(row.promo_number.network_id, []).append(row)
    return [(group[0].promo_number.network, group) for group in found.values()]


def reclaim_remind(today: date) -> int:
    """The day before the reclaim (the 26th), or as soon as possible after: remind of what is still open. Returns how many
    numbers were spoken of."""
    ahead = max(1, settings.PROMO_NUMBER_RECLAIM_DAY - settings.PROMO_NUMBER_RECLAIM_REMINDER_DAY)
    reminded = 0
    due = _still_open(today).filter(reminded_at=None, reclaim_on__lte=today + timedelta(days=ahead))
    for network, _rows in _by_network(due):
        with transaction.atomic():
            rows = list(due.filter(promo_number__network=network).select_for_update(no_key=True, of=("self",)))
            # A reminder that comes late puts the reclaim off.
            later = today + timedelta(days=ahead)
            moved = ReclaimProposal.objects.filter(pk__in=[row.pk for row in rows])
            moved.filter(reclaim_on__lt=later).update(reclaim_on=later)
            moved.update(reminded_at=datetime.combine(today, time(12), UTC))
            if rows:
                _tell(network, len(rows), max(later, rows[0].reclaim_on), "reminder", f"{today:%Y-%m-%d}")
            reminded += len(rows)
    return reminded


def reclaim_execute(today: date) -> int:
    """On the 27th, or later: release what is still open, was reminded of, and was neither called nor kept. Returns how many."""
    due = _still_open(today).filter(reclaim_on__lte=today, reminded_at__isnull=False)
    reclaimed = 0
    for network, group in _by_network(due):
        taken = 0
        for start in range(0, len(group), AT_ONCE):
            part = [row.pk for row in group[start : start + AT_ONCE]]
            with transaction.atomic():
                network_hold(network.pk)
                # Once more under the locks: somebody may have kept one in this moment.
                rows = due.filter(pk__in=part).select_for_update(no_key=True, of=("self",))
                taken += _take(list(rows.select_related("promo_number__campaign")), by=None, note="")
        if taken:
            _tell(network, taken, today, "reclaimed", f"{today:%Y-%m-%d}")
        reclaimed += taken
    return reclaimed


def _take(rows: list[ReclaimProposal], *, by: User | None, note: str) -> int:
    days = settings.PROMO_NUMBER_RECLAIM_AFTER_DAYS
    released = numbers_release(
        by=by, numbers=[row.promo_number for row in rows], reason=note or REASON.format(days=days)
    )
    ReclaimProposal.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=ReclaimState.RECLAIMED, decided_by=by, note=note
    )
    return released


_WORDS: dict[str, Callable[[int, date], tuple[str, str]]] = {
    "notice": lambda count, on: (
        f"{count:,} promo {_numbers(count)} without calls will be reclaimed on {on:%B %-d}",
        "Had no call for {days} days. Keep those that you need; one that is called stays by itself.",
    ),
    "reminder": lambda count, on: (
        f"Reminder: {count:,} promo {_numbers(count)} will be reclaimed on {on:%B %-d}",
        "Still had no call. Keep those that you need until then.",
    ),
    "reclaimed": lambda count, on: (
        f"{count:,} promo {_numbers(count)} without calls reclaimed",
        "Had no call for {days} days, and nobody kept them. They rest before anybody gets them again.",
    ),
}


def _numbers(count: int) -> str:
    return "number" if count == 1 else "numbers"


def _tell(network: Network, count: int, on: date, what: str, when: str) -> None:
    """Tell the network's Managers and up, once per step and day."""
    title, body = _WORDS[what](count, on)
    people = User.objects.filter(memberships__network=network, memberships__role__gte=Role.MANAGER, is_active=True)
    notify(
        users=people.distinct(), network=network, kind=f"reclaim.{what}", title=title,
        body=body.format(days=settings.PROMO_NUMBER_RECLAIM_AFTER_DAYS), link=reverse("numbers:reclaim"),
        key=f"reclaim:{what}:{network.pk}:{when}",
    )  # fmt: skip


# By hand.


def _locked(proposal: ReclaimProposal) -> ReclaimProposal:
    row = (
        ReclaimProposal.objects.select_for_update(no_key=True, of=("self",))
        .select_related("promo_number__campaign", "promo_number__network")
        .get(pk=proposal.pk)
    )
    if row.state != ReclaimState.PROPOSED:
        raise Conflict(f"This is settled already: {row.get_state_display().lower()}.", code="already_decided")
    return row


def _note(text: str) -> str:
    if len(text := text.strip()) > 250:
        raise Invalid(f"A note has at most 250 characters; it has {len(text)}.", field="note", code="too_long")
    return text


def reclaim_keep(*, by: User | None, proposal: ReclaimProposal, note: str = "") -> ReclaimProposal:
    """Keep a number that would be reclaimed; it is not proposed again for 45 days. Needs `manage_numbers`.

    Raises Conflict `already_decided`.
    """
    access.require(by, "manage_numbers", proposal)
    text = _note(note)
    with transaction.atomic():
        row = _locked(proposal)
        row.state, row.decided_by, row.note = ReclaimState.KEPT, by, text
        row.save(update_fields=["state", "decided_by", "note"])
        record(
            event="number.keep", obj=row.promo_number.campaign, by=by, reason=text,
            changes={"promo_number": [None, row.promo_number.number]},
        )  # fmt: skip
        return row


def reclaim_now(*, by: User | None, proposal: ReclaimProposal, note: str = "") -> ReclaimProposal:
    """Release a proposed number at once. Needs `manage_numbers`. Raises Conflict `already_decided`."""
    access.require(by, "manage_numbers", proposal)
    text = _note(note)
    with transaction.atomic():
        network_hold(proposal.promo_number.network_id)
        row = _locked(proposal)
        _take([row], by=by, note=text or "Released instead of waiting for the reclaim.")
        row.refresh_from_db()
        return row
