"""The three limits: checking, raising, and the one sentence of a refusal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, connection, transaction

from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.actions import changes_between, record
from portal.errors import Conflict, Invalid, NotAllowed
from promo_numbers.choices import Ceiling
from promo_numbers.models import CampaignNumbers, NetworkNumbers
from promo_numbers.queries.limits import LimitView, limits_on_adding

# domain/promo-numbers.md: word for word, on every surface.
SENTENCE = "You've reached your promo number limit. To add a number you must increase your promo number limit."
MAX_LIMIT = 10_000_000
# The check that refused -> the ceiling that was reached (sql/0001_limits, models/numbers.py).
_CHECKS = {
    "numbers_campaign_allowed": Ceiling.CAMPAIGN,
    "numbers_network_total": Ceiling.NETWORK_TOTAL,
    "numbers_network_dynamic": Ceiling.NETWORK_DYNAMIC,
}


class LimitReached(Conflict):
    """A promo number limit was met (409). `reached` are the ceilings in the way, `limits` all that were asked."""

    code = "promo_number_limit_reached"

    def __init__(self, campaign: Campaign, limits: list[LimitView], reached: list[LimitView], asked: int):
        self.campaign, self.limits, self.reached, self.asked = campaign, limits, reached, asked
        super().__init__(
            SENTENCE,
            field="promo_number",
            details={
                "reached": [view.ceiling for view in reached],
                "asked": asked,
                "limits": [view.body() for view in limits],
            },
        )

    @property
    def explanation(self) -> str:
        """Beside the sentence: which ceiling, its figures, who may raise it."""
        return " ".join(
            f"{view.label}: {view.used} of {view.limit} used"
            + (f", {self.asked} more asked for" if self.asked > 1 else "")
            + f". {view.who_may_raise}"
            for view in self.reached
        )


def network_hold(network_id: int) -> NetworkNumbers:
    """Lock the network's counters first: for a transaction that adds in several statements (docs/locking.md).

    Returns them: until the commit nobody else's numbers move them.
    """
    return NetworkNumbers.objects.select_for_update(no_key=True).get(pk=network_id)


def limits_check(campaign: Campaign, *, dynamic: bool, count: int = 1) -> None:
    """Raise LimitReached if `count` more numbers would not fit as things stand now. The database decides in the end."""
    limits = limits_on_adding(campaign, dynamic=dynamic)
    reached = [view for view in limits if not view.lets_in(count)]
    if reached:
        raise LimitReached(campaign, limits, reached, count)


def _constraint(error: IntegrityError) -> str:
    return str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or "")


@contextmanager
def limits_held(campaign: Campaign, *, dynamic: bool, count: int = 1) -> Iterator[None]:
    """Around the transaction that adds: a limit that was met in the last moment is refused like any other."""
    try:
        yield
    except IntegrityError as error:
        ceiling = _CHECKS.get(_constraint(error))
        if ceiling is None:
            raise
        limits = limits_on_adding(campaign, dynamic=dynamic)
        # By now somebody may have released one; the ceiling that refused is named all the same.
        reached = [view for view in limits if view.ceiling == ceiling or not view.lets_in(count)]
        raise LimitReached(campaign, limits, reached, count) from error


def _limit(value: Any, field: str, *, none_is_none: bool) -> int | None:
    if value is None and none_is_none:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_LIMIT:
        raise Invalid(
            f"A limit is a whole number from 0 to {MAX_LIMIT:,}; it is {value}.", field=field, code="out_of_range"
        )
    return value


def _below_use(used: int, limit: int, field: str, what: str) -> Conflict:
    are = "number is" if used == 1 else "numbers are"
    return Conflict(
        f"{used:,} {are} in use; {what} cannot be {limit:,}. Release {used - limit:,} first, or set {used:,} or more.",
        field=field, code="below_use", details={"used": used, "limit": limit},
    )  # fmt: skip


def campaign_limit_set(
    *, by: User | None, campaign: Campaign, allowed: int, reason: str = "", confirmed: bool = False
) -> CampaignNumbers:
    """Set “Promo Numbers Allowed”. Needs a Super (or platform staff) and a reason; the network's CSM is told of a raise.

    A raise that is large against the contract (`queries.advice.raise_warning`) is refused with its figures (Invalid
    `large_raise`) until it comes `confirmed`. Never below what is in use (Conflict `below_use`).
    """
    from promo_numbers.queries.advice import raise_warning

    from .notices import limit_raised

    row = CampaignNumbers.objects.select_related("campaign__network").get(pk=campaign.pk)
    access.require(by, "raise_number_limit", row)
    wanted = _limit(allowed, "allowed", none_is_none=False)
    assert wanted is not None
    reason = reason.strip()
    if not reason:
        raise Invalid("Say why; the reason is kept, and your CSM reads it.", field="reason", code="required")
    if wanted > row.allowed and not confirmed and (warning := raise_warning(campaign, wanted)):
        raise Invalid(warning.text, field="allowed", code="large_raise", details=warning.figures)
    with transaction.atomic():
        row = CampaignNumbers.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        if wanted < row.used:
            raise _below_use(row.used, wanted, "allowed", "the limit of this campaign")
        changes = changes_between({"allowed": row.allowed}, {"allowed": wanted})
        if not changes:
            return row
        before, row.allowed = row.allowed, wanted
        row.save(update_fields=["allowed"])
        record(event="number_limit.campaign", obj=campaign, by=by, changes=changes, reason=reason)
        if wanted > before:
            limit_raised(by=by, campaign=campaign, before=before, after=wanted, reason=reason)
    return row


def network_limits_set(*, by: User | None, network: Network, reason: str = "", **limits: Any) -> NetworkNumbers:
    """Set a network's limits: `total`, `dynamic` (None = none, 0 = closed), `campaign_default`. Platform staff alone.

    Raises NotFound for who may not see them (Limited members), NotAllowed for who may, Invalid, and Conflict `below_use` for a
    limit below what is in use.
    """
    if by is not None and not access.stands_above(by):
        access.require(by, "view", NetworkNumbers(network=network))
        raise NotAllowed(
            "Only platform staff change a network's promo number limits; send a limit request.",
            permission="numbers.change_networknumbers",
        )
    names = {"total": "total_limit", "dynamic": "dynamic_limit", "campaign_default": "campaign_default"}
    clean = {}
    for name, value in limits.items():
        if name not in names:
            raise Invalid(f"“{name}” is not a limit; use {', '.join(names)}.", field=name, code="unknown_field")
        clean[names[name]] = _limit(value, name, none_is_none=name != "campaign_default")
    with transaction.atomic():
        row = NetworkNumbers.objects.select_for_update(no_key=True).get(pk=network.pk)
        for name, used in (("total", row.total_used), ("dynamic", row.dynamic_used)):
            limit = clean.get(names[name])
            if limit is not None and limit < used:
                raise _below_use(used, limit, name, f"the network's {name} limit")
        changes = changes_between({name: getattr(row, name) for name in clean}, clean)
        if changes:
            for name, value in clean.items():
                setattr(row, name, value)
            row.save(update_fields=sorted(clean))
            record(event="number_limit.network", obj=network, by=by, changes=changes, reason=reason.strip())
    return row


def limits_reconcile(*, repair: bool = True) -> list[tuple[str, int, int, int]]:
    """Count again: (what, id, was, is) of every counter that was wrong. Nothing should ever come back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM numbers_reconcile(%s)", [repair])
        return cursor.fetchall()
