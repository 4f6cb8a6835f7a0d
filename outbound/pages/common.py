"""What the outbound pages share: finding the object, rights for buttons, going back."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from campaigns.pages.common import user_of
from outbound.choices import FINISHED, BatchStatus
from outbound.models import Batch, Recipient
from outbound.queries.batches import batch_of
from portal.accounts import access
from portal.accounts.models import Network
from portal.accounts.roles import Role
from portal.errors import NotAllowed, NotFound, Refused
from portal.web.pages import network_of

__all__ = [
    "back_to", "batch_or_404", "crumbs_of", "may_add", "network_of", "recipient_or_404", "rights_on", "said", "user_of",
]  # fmt: skip


def batch_or_404(request: HttpRequest, pk: int) -> Batch:
    """The batch, if the user may see it in the network that he looks at. Raises NotFound."""
    return batch_of(user=user_of(request), network=network_of(request), pk=pk)


def recipient_or_404(batch: Batch, pk: int) -> Recipient:
    """One person of a batch that was found before. Raises NotFound."""
    found = Recipient.objects.filter(batch=batch, pk=pk).first()
    if found is None:
        raise NotFound("There is no such call.")
    found.batch = batch
    return found


def rights_on(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    """What the user may do with the batch now, for showing buttons; the actions check again."""
    user = user_of(request)
    change, operate = access.may(user, "change", batch), access.may(user, "operate", batch)
    status = batch.status
    is_open = status not in FINISHED and status != BatchStatus.STOPPING
    return {
        "change": change, "operate": operate, "set_up": change and is_open, "add": change and is_open,
        "start": operate and status == BatchStatus.DRAFT,
        "unschedule": operate and status == BatchStatus.SCHEDULED,
        "pause": operate and status == BatchStatus.RUNNING, "resume": operate and status == BatchStatus.PAUSED,
        "stop": operate and status in (BatchStatus.SCHEDULED, BatchStatus.RUNNING, BatchStatus.PAUSED),
        "hang_up": operate and status not in (BatchStatus.DRAFT, BatchStatus.SCHEDULED),
        "delete": change and status == BatchStatus.DRAFT, "cancel": operate and status not in FINISHED,
    }  # fmt: skip


def may_add(request: HttpRequest, network: Network) -> bool:
    """Whether to show buttons that make something in the network; the action checks again."""
    user = user_of(request)
    return access.stands_above(user) or user.roles.get(network.pk, -1) >= Role.MEMBER


def crumbs_of(batch: Batch | None = None) -> list[tuple[str, str]]:
    """The way to a page of outbound, or below a batch's page."""
    crumbs = [("Batches", reverse("outbound:list"))]
    return [*crumbs, (batch.name, reverse("outbound:detail", args=[batch.pk]))] if batch else crumbs


def said(request: HttpRequest, error: Refused) -> None:
    """A refusal of a button, as messages on the page that comes next. A missing right or object is not a message."""
    if isinstance(error, NotAllowed | NotFound):
        raise error
    problems = getattr(error, "problems", None) or [(error.field, error.code, error.message)]
    for _field, _code, message in problems:
        messages.error(request, message)


def back_to(request: HttpRequest, name: str, *args: Any) -> HttpResponse:
    """To the page that the form names as `next`, if it is one of ours; else to the page `name`."""
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(back)
    return redirect(name, *args)
