"""Limit requests: asked where a limit was met, decided once, and the asker told."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.actions import record
from portal.errors import Conflict, Invalid, NotAllowed, NotFound
from promo_numbers.choices import Ceiling, RequestState
from promo_numbers.models import LimitRequest
from promo_numbers.models.pools import MAX_LIFETIME
from promo_numbers.queries.requests import figures_now, may_ask, may_decide, request_advice, requests_visible
from promo_numbers.queries.sizing import MOST, load_of

from .limits import MAX_LIMIT, campaign_limit_set, network_limits_set
from .notices import request_asked, request_decided, request_withdrawn
from .numbers import network_hold

Problem = tuple[str | None, str, str]
MAX_TEXT = 4000
MAX_VISITORS = 10_000_000
DECISIONS = {
    "approve": RequestState.APPROVED, "change": RequestState.CHANGED, "decline": RequestState.DECLINED,
}  # fmt: skip


def _whole(value: Any, field: str, least: int, most: int, problems: list[Problem], what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        problems.append((field, "out_of_range", f"{what} is a whole number from {least:,} to {most:,}."))


def _traffic(ceiling: str, visitors: Any, lifetime: Any, problems: list[Problem]) -> None:
    """The expected traffic of a website: for dynamic numbers, both figures or none."""
    if visitors is None and lifetime is None:
        return
    if ceiling != Ceiling.NETWORK_DYNAMIC:
        problems.append(
            ("visitors_per_hour", "not_dynamic", "Traffic is asked for dynamic numbers alone; leave it out.")
        )
        return
    before = len(problems)
    _whole(visitors, "visitors_per_hour", 1, MAX_VISITORS, problems, "Visitors an hour")
    _whole(lifetime, "lifetime_seconds", 60, MAX_LIFETIME, problems, "The lifetime in seconds")
    if len(problems) == before and load_of(visitors, lifetime) > MOST:
        text = f"So many visitors for so long need more than {MOST:,} numbers; check both figures."
        problems.append(("visitors_per_hour", "out_of_range", text))


def asking_check(by: User | None, network: Network, ceiling: str, campaign: Campaign | None) -> None:
    """Whether `by` may ask for this ceiling here: raises NotFound, NotAllowed or Invalid if not."""
    if ceiling not in Ceiling.values:
        raise Invalid(
            f"“{str(ceiling)[:40]}” is no promo number limit; use {', '.join(Ceiling.values)}.", field="ceiling",
            code="unknown_ceiling",
        )  # fmt: skip
    if (ceiling == Ceiling.CAMPAIGN) != (campaign is not None):
        text = "Name the campaign whose limit it is; for a limit of the network name none."
        raise Invalid(text, field="campaign", code="required" if campaign is None else "not_of_campaign")
    if campaign is not None:
        if campaign.network_id != network.pk:
            raise NotFound("There is no such campaign in this network.", field="campaign", code="unknown_campaign")
        access.require(by, "manage_numbers", campaign)
    elif by is not None and not may_ask(by, network):
        access.require(by, "view", network)
        raise NotAllowed(
            "You need the permission campaigns.manage_numbers on a campaign of this network to ask for more."
            f" {access.who_may('manage_numbers', Campaign)}",
            permission="campaigns.manage_numbers",
        )


def limit_request_create(
    *, by: User, network: Network, ceiling: str, more: int, reason: str, campaign: Campaign | None = None,
    visitors_per_hour: int | None = None, lifetime_seconds: int | None = None,
) -> LimitRequest:  # fmt: skip
    """Ask for `more` numbers above a limit. Whoever may add numbers there (`manage_numbers`) may ask.

    ceiling: campaign (with `campaign`), network_total or network_dynamic. visitors_per_hour (new visitors in the busiest
    hour) and lifetime_seconds: the traffic that dynamic numbers are for. Those who decide are told, and the CSM.

    Raises Invalid with every problem; Conflict `already_asked` (one open request each), `no_limit`.
    """
    asking_check(by, network, ceiling, campaign)
    problems: list[Problem] = []
    _whole(more, "more", 1, MAX_LIMIT, problems, "How many more")
    reason = str(reason or "").strip()
    if not 1 <= len(reason) <= MAX_TEXT:
        problems.append(("reason", "required", f"Say what they are for, in 1 to {MAX_TEXT:,} characters."))
    _traffic(ceiling, visitors_per_hour, lifetime_seconds, problems)
    if problems:
        raise Invalid.of(problems)
    limit, used = figures_now(network, ceiling, campaign)
    if limit is None:
        raise Conflict(
            f"{Ceiling(ceiling).label}: no limit is set, so there is nothing to raise.",
            field="ceiling",
            code="no_limit",
        )
    try:
        with transaction.atomic():
            request = LimitRequest.objects.create(
                network=network, ceiling=ceiling, campaign=campaign, asked_by=by, more=more, reason=reason,
                visitors_per_hour=visitors_per_hour, lifetime_seconds=lifetime_seconds, limit_then=limit, used_then=used,
            )  # fmt: skip
            record(
                event="limit_request.create", obj=request, by=by, reason=reason,
                changes={"ceiling": [None, str(Ceiling(ceiling).label)], "campaign": [None, campaign], "more": [None, more]},
            )  # fmt: skip
            request_asked(by=by, request=request)
    except IntegrityError as error:
        raise _already(error, by, network, ceiling, campaign) from error
    return request


def _already(
    error: IntegrityError, by: User, network: Network, ceiling: str, campaign: Campaign | None
) -> Exception:  # fmt: skip
    """The refusal behind a second open request; any other error as it is."""
    if getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") != "request_open_once":
        return error
    rows = LimitRequest.objects.filter(network=network, ceiling=ceiling, campaign=campaign, asked_by=by)
    open_one = rows.filter(state=RequestState.OPEN).values_list("pk", flat=True).first()
    return Conflict(
        "You have asked for this limit already; wait for the decision, or withdraw that request first.",
        code="already_asked", details={"limit_request": open_one},
    )  # fmt: skip


def _taken(request: LimitRequest, by: User | None) -> LimitRequest:
    """The request, locked and still open. Raises NotFound for what `by` may not see, Conflict `already_decided`."""
    if by is not None and not requests_visible(by).filter(pk=request.pk).exists():
        raise NotFound("There is no such limit request.")
    row = (
        LimitRequest.objects.select_for_update(no_key=True, of=("self",))
        .select_related("network", "campaign", "asked_by", "decided_by")
        .get(pk=request.pk)
    )
    if row.state != RequestState.OPEN:
        who = f" by {row.decided_by}" if row.decided_by else ""
        raise Conflict(
            f"This request is closed: {row.get_state_display().lower()}{who}.", code="already_decided",
            details={"state": row.state},
        )  # fmt: skip
    return row


def _granted(decision: str, more: int, granted: int | None, note: str) -> int | None:
    """How many are granted. Raises Invalid."""
    problems: list[Problem] = []
    if decision not in DECISIONS:
        raise Invalid(f"A decision is one of {', '.join(DECISIONS)}.", field="decision", code="unknown_decision")
    if decision == "change":
        _whole(granted, "granted", 1, MAX_LIMIT, problems, "How many more are granted")
    if decision == "decline" and not note:
        problems.append(("note", "required", "Say why not; whoever asked reads it."))
    if len(note) > MAX_TEXT:
        problems.append(("note", "too_long", f"At most {MAX_TEXT:,} characters."))
    if problems:
        raise Invalid.of(problems)
    return {"approve": more, "change": granted, "decline": None}[decision]


def limit_request_decide(
    *, by: User | None, request: LimitRequest, decision: str, granted: int | None = None, note: str = "",
    confirmed: bool = False,
) -> LimitRequest:  # fmt: skip
    """Decide an open request: `approve`, `change` (grant another figure, `granted` more) or `decline` (with a note).

    Network ceilings: platform staff; a campaign's: its network's Supers too. The limit is raised in the same transaction,
    by the same code as everywhere; the sums of the moment are kept as `working`; the asker is told. One decides once.

    Raises NotFound, NotAllowed, Invalid (`large_raise` on a campaign until `confirmed`), Conflict `already_decided`.
    """
    note = note.strip()
    with transaction.atomic():
        row = _taken(request, by)
        if by is not None and not may_decide(by, row):
            who = "A Super of the network or platform" if row.ceiling == Ceiling.CAMPAIGN else "Only platform"
            raise NotAllowed(f"{who} staff decide this request.", permission="numbers.decide")
        count = _granted(decision, row.more, granted, note)
        if decision == "change" and count == row.more:
            decision = "approve"
        advice = request_advice(row)
        row.working = advice.body() if advice else {}
        row.state, row.granted, row.note = DECISIONS[decision], count, note
        row.decided_by, row.decided_at = by, timezone.now()
        row.save(update_fields=["state", "granted", "note", "decided_by", "decided_at", "working"])
        record(
            event=f"limit_request.{decision}", obj=row, by=by, reason=note,
            changes={"state": [RequestState.OPEN.label, row.get_state_display()], "granted": [None, count]},
        )  # fmt: skip
        before, after = _raise(by, row, count, confirmed) if count else (row.limit_then, row.limit_then)
        request_decided(by=by, request=row, before=before, after=after)
    return row


def _raise(by: User | None, row: LimitRequest, count: int, confirmed: bool) -> tuple[int | None, int | None]:
    """Raise the limit by `count`: (before, after). Nothing to do where there is no limit any more."""
    # Before the limit is read: two grants to one ceiling add up.
    network_hold(row.network_id)
    before, _ = figures_now(row.network, row.ceiling, row.campaign)
    if before is None:
        return None, None
    after = before + count
    if after > MAX_LIMIT:
        raise Invalid(f"A limit is at most {MAX_LIMIT:,}; it is {before:,} now.", field="granted", code="out_of_range")
    why = f"Limit request {row.pk}: {row.reason}"
    if row.ceiling == Ceiling.CAMPAIGN:
        assert row.campaign is not None
        campaign_limit_set(by=by, campaign=row.campaign, allowed=after, reason=why, confirmed=confirmed)
    else:
        name = "dynamic" if row.ceiling == Ceiling.NETWORK_DYNAMIC else "total"
        network_limits_set(by=by, network=row.network, reason=why, **{name: after})
    return before, after


def limit_request_withdraw(*, by: User | None, request: LimitRequest) -> LimitRequest:
    """Take back an open request; whoever asked, and nobody else. Those who would decide are told.

    Raises NotFound, NotAllowed, Conflict `already_decided`.
    """
    with transaction.atomic():
        row = _taken(request, by)
        if by is not None and row.asked_by_id != by.pk:
            raise NotAllowed(f"Only {row.asked_by}, who asked, withdraws it.", permission="numbers.withdraw")
        row.state, row.decided_at = RequestState.WITHDRAWN, timezone.now()
        row.save(update_fields=["state", "decided_at"])
        record(
            event="limit_request.withdraw", obj=row, by=by,
            changes={"state": [RequestState.OPEN.label, RequestState.WITHDRAWN.label]},
        )  # fmt: skip
        request_withdrawn(by=by, request=row)
    return row
