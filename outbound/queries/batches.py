"""Batches, their people, and the history of one call: what pages and the API list."""

from dataclasses import dataclass

from django.db.models import F, OuterRef, QuerySet, Subquery

from outbound.choices import BatchStatus, RecipientState
from outbound.models import (
    Attempt,
    AttemptEvent,
    Batch,
    BatchImport,
    Carrier,
    DoNotCallEntry,
    DoNotCallList,
    ImportRejection,
    Recipient,
    ResultDelivery,
)
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.models import AuditEvent
from portal.errors import NotFound


def batches_visible(user: User, network: Network) -> QuerySet[Batch]:
    """The batches of `network` that `user` may see."""
    return access.restrict(Batch.objects.filter(network=network), user)


def batch_list(*, user: User, network: Network, status: str = "", search: str = "") -> QuerySet[Batch]:
    """The batch list, to be ordered and cut by `portal.web.lists.keyset`. Each row has `state` (counters), `carrier`.

    status: one of `BatchStatus`, or "active" for those that are not drafts and not finished.
    """
    rows = batches_visible(user, network)
    if status == "active":
        rows = rows.filter(status__in=["scheduled", "running", "paused", "stopping"])
    elif status in BatchStatus.values:
        rows = rows.filter(status=status)
    if search:
        rows = rows.filter(name__icontains=search)
    return rows.select_related("state", "carrier", "campaign")


def batch_of(*, user: User, network: Network, pk: int) -> Batch:
    """One batch. Raises NotFound for what does not exist or may not be seen."""
    found = (
        batches_visible(user, network)
        .select_related("state", "carrier__state", "campaign", "network")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise NotFound("There is no such batch.")
    return found


def recipient_list(*, batch: Batch, state: str = "", outcome: str = "", search: str = "") -> QuerySet[Recipient]:
    """People of a batch (the caller has checked that it may be seen), for keyset pages over millions of rows.

    Order by `number` (the whole list) or by `-id` with a state: both are indexed. search: the beginning of a number.
    Each row has of its last attempt: `callee_type`, `cause`, `placed_at`, `ended_at`, `duration`, `attempt_id`.
    """
    rows = Recipient.objects.filter(batch=batch)
    if state in RecipientState.values:
        rows = rows.filter(state=state)
    if outcome:
        rows = rows.filter(outcome=outcome)
    if search:
        digits = "+" + search.strip().lstrip("+")
        rows = rows.filter(number__gte=digits, number__lt=digits + ":")
    last = Attempt.objects.filter(recipient=OuterRef("pk"), number=OuterRef("attempts"))
    return rows.annotate(
        attempt_id=Subquery(last.values("pk")),
        callee_type=Subquery(last.values("callee_type")),
        cause=Subquery(last.values("cause")),
        placed_at=Subquery(last.values("placed_at")),
        ended_at=Subquery(last.values("ended_at")),
        duration=Subquery(last.values("duration")),
    )


def recently_completed(*, batch: Batch, limit: int = 50) -> QuerySet[Attempt]:
    """The last `limit` calls that ended, newest first: the page lets its reader choose how many."""
    ended = Attempt.objects.filter(batch=batch, ended_at__isnull=False).exclude(state="not_sent")
    return ended.select_related("recipient").order_by(F("ended_at").desc())[:limit]


@dataclass(frozen=True)
class History:
    """Everything about one person's call: attempts in order, events of each as they were heard, results sent."""

    recipient: Recipient
    attempts: list[tuple[Attempt, list[AttemptEvent]]]
    deliveries: list[ResultDelivery]
    decisions: list[AuditEvent]


def opted_out(network: int, number: str) -> bool:
    """Whether a number stands on the network's list of opt-outs."""
    return DoNotCallEntry.objects.filter(list__network=network, list__collects_opt_outs=True, pattern=number).exists()


def recipient_history(*, recipient: Recipient) -> History:
    """The call info of one person (the modal): four statements, whatever happened."""
    attempts = list(Attempt.objects.filter(recipient=recipient).select_related("carrier").order_by("number"))
    heard: dict[object, list[AttemptEvent]] = {one.pk: [] for one in attempts}
    for event in AttemptEvent.objects.filter(attempt__in=list(heard)).order_by("at", "id"):
        heard[event.attempt_id].append(event)
    decisions = AuditEvent.objects.filter(
        object_type="outbound.batch", object_id=str(recipient.batch_id),
        event__in=["recipient.redial", "recipient.cancel", "recipient.opt_out"], changes__number__0=recipient.number,
    )  # fmt: skip
    return History(
        recipient,
        [(one, heard[one.pk]) for one in attempts],
        list(ResultDelivery.objects.filter(recipient=recipient).order_by("id")),
        list(decisions.order_by("id")),
    )


def delivery_list(
    *, user: User, network: Network, batch: int | None = None, state: str = ""
) -> QuerySet[ResultDelivery]:
    """Results and what became of them, newest first; each row has `batch` and `recipient`."""
    rows = ResultDelivery.objects.filter(batch__in=batches_visible(user, network).values("pk"))
    if batch is not None:
        rows = rows.filter(batch=batch)
    if state:
        rows = rows.filter(state=state)
    return rows.select_related("batch", "recipient").order_by("-id")


def import_list(*, batch: Batch) -> QuerySet[BatchImport]:
    """A batch's imports, newest first."""
    return BatchImport.objects.filter(batch=batch).select_related("created_by").order_by("-id")


def rejection_list(*, job: BatchImport) -> QuerySet[ImportRejection]:
    """The refused rows of an import in the order of their lines: to be streamed as a file with line, value, reason."""
    return ImportRejection.objects.filter(job=job).order_by("line", "id")


def carrier_list(*, user: User, network: Network) -> QuerySet[Carrier]:
    """The network's carriers with their health (`state`)."""
    return access.restrict(Carrier.objects.filter(network=network), user).select_related("state").order_by("name", "pk")


def do_not_call_lists(*, user: User, network: Network) -> QuerySet[DoNotCallList]:
    """The network's do-not-call lists."""
    return access.restrict(DoNotCallList.objects.filter(network=network), user).order_by("name", "pk")
