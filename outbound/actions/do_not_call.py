"""Do-not-call lists: who must not be called. Checked at import and again in every claim."""

import re
from collections.abc import Iterable

from django.db import IntegrityError, transaction

from campaigns.callers import NotANumber, e164
from outbound.choices import Reason, RecipientState
from outbound.models import Batch, DoNotCallEntry, DoNotCallList, Recipient
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.actions import record
from portal.errors import Conflict, Invalid, NotFound

from .calls import hang_up_wish

MOST_ENTRIES = 100_000
MOST_PROBLEMS = 100
OPTED_OUT = "Opted out in a call"
_PREFIX = re.compile(r"^\+?([0-9]{1,14})\*$")


def pattern_read(text: str, country: str) -> str:
    """A number as E.164, or a prefix such as `+1800*` (also without the +). Raises Invalid."""
    text = text.strip()
    if match := _PREFIX.match(text.replace(" ", "")):
        return f"+{match.group(1)}*"
    try:
        return e164(text, country)
    except NotANumber as error:
        raise Invalid(
            f"“{text[:64]}” is neither a phone number nor a prefix such as +1800*.",
            field="pattern",
            code="invalid_pattern",
        ) from error


def do_not_call_list_create(
    *, by: User | None, network: Network, name: str, applies_to_all: bool = True, collects_opt_outs: bool = False
) -> DoNotCallList:
    """Make a list: for every batch of the network, or for those that name it. Needs Member of the network."""
    made = DoNotCallList(
        network=network, name=name.strip()[:100], applies_to_all=applies_to_all, collects_opt_outs=collects_opt_outs
    )
    access.require(by, "add", made)
    if not made.name:
        raise Invalid("Give the list a name.", field="name", code="required")
    try:
        with transaction.atomic():
            made.save()
            record(event="do_not_call.create", obj=made, by=by)
    except IntegrityError as error:
        what = "already collects opt-outs" if "opt_outs" in str(error) else "has that name"
        raise Invalid(f"A list of this network {what}.", field="name", code="exists") from error
    return made


def do_not_call_add(*, by: User | None, to: DoNotCallList, patterns: Iterable[str], note: str = "") -> int:
    """Put numbers and prefixes on a list; binding with the next claim. Needs `change`. Returns how many are new.

    Raises Invalid naming those that are neither (the first 100); then none is added.
    """
    access.require(by, "change", to)
    given = [text for text in patterns if text.strip()]
    if len(given) > MOST_ENTRIES:
        raise Invalid(f"{MOST_ENTRIES} entries at once at most.", field="pattern", code="too_many")
    clean, problems = [], []
    for text in given:
        try:
            clean.append(pattern_read(text, to.network.country))
        except Invalid as error:
            problems += error.problems
            if len(problems) >= MOST_PROBLEMS:
                break
    if problems:
        raise Invalid.of(problems)
    with transaction.atomic():
        _hold(to)
        before = DoNotCallEntry.objects.filter(list=to).count()
        DoNotCallEntry.objects.bulk_create(
            [DoNotCallEntry(list=to, pattern=item, note=note[:200], added_by=by) for item in dict.fromkeys(clean)],
            ignore_conflicts=True, batch_size=5000,
        )  # fmt: skip
        count = DoNotCallEntry.objects.filter(list=to).count() - before
        record(event="do_not_call.add", obj=to, by=by, changes={"entries": [before, before + count]}, reason=note)
    return count


def do_not_call_remove(*, by: User | None, to: DoNotCallList, patterns: Iterable[str], reason: str = "") -> int:
    """Take entries off a list. Who was suppressed by them stays so. Needs `change`. Returns how many were there."""
    access.require(by, "change", to)
    wanted = [pattern_read(text, to.network.country) for text in patterns]
    with transaction.atomic():
        _hold(to)
        count, _ = DoNotCallEntry.objects.filter(list=to, pattern__in=wanted).delete()
        record(event="do_not_call.remove", obj=to, by=by, changes={"entries": [wanted[:50], None]}, reason=reason)
    return count


def do_not_call_list_delete(*, by: User | None, to: DoNotCallList) -> None:
    """Delete a list with its entries. Needs `delete` (Manager). Raises Conflict while a batch names it."""
    access.require(by, "delete", to)
    with transaction.atomic():
        _hold(to)
        named = Batch.objects.filter(do_not_call_lists=to).first()
        if named is not None:
            raise Conflict(f"The batch “{named}” keeps this list; take it off there first.", code="list_in_use")
        record(event="do_not_call.delete", obj=to, by=by)
        to.delete()


def _hold(to: DoNotCallList) -> None:
    """The list before its entries: who changes the same one at once takes turns (docs/locking.md). Raises NotFound."""
    if DoNotCallList.objects.select_for_update(no_key=True).filter(pk=to.pk).first() is None:
        raise NotFound("There is no such list.")


def recipient_opt_out(*, by: User | None, recipient: Recipient, reason: str = "") -> bool:
    """This person said, in a call or otherwise, that he wants none: his number goes on the network's list for that, which
    is made when first needed and binds every batch. Needs `operate`. True if the number is new there.

    Whoever waits under it in any batch of the network is suppressed at once; who is just being taken up is not dialed; a
    live call goes on and is never tried again.
    """
    access.require(by, "operate", recipient)
    batch = Batch.objects.select_related("network").get(pk=recipient.batch_id)
    same = Recipient.objects.filter(
        batch__in=Batch.objects.filter(network=batch.network).values("pk"), number=recipient.number
    )
    with transaction.atomic():
        to, _ = DoNotCallList.objects.get_or_create(
            network=batch.network, collects_opt_outs=True, defaults={"name": OPTED_OUT, "applies_to_all": True}
        )
        _hold(to)
        _, made = DoNotCallEntry.objects.get_or_create(list=to, pattern=recipient.number, defaults={"note": OPTED_OUT})
        open_ones = same.filter(state__in=[RecipientState.PENDING, RecipientState.QUEUED])
        held = list(open_ones.select_for_update(no_key=True).order_by("pk"))
        waiting = [one.pk for one in held if one.state == RecipientState.PENDING]
        Recipient.objects.filter(pk__in=waiting).update(state=RecipientState.SUPPRESSED, reason=Reason.OPTED_OUT)
        hang_up_wish([one for one in held if one.state == RecipientState.QUEUED])
        record(
            event="recipient.opt_out",
            obj=batch,
            by=by,
            reason=reason,
            changes={"number": [recipient.number, OPTED_OUT]},
        )
    return made
