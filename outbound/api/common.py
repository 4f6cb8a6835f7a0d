"""What the API views of outbound have in common."""

from typing import Any, NoReturn

from django.utils.crypto import salted_hmac
from rest_framework.request import Request

from outbound.models import Batch, Recipient
from outbound.queries.batches import batch_of
from portal.api import etags
from portal.api.idempotency import key_of, once
from portal.api.permissions import MAX_ID
from portal.api.views import ApiView
from portal.errors import Invalid, NotFound


class OutboundView(ApiView):
    """A view of the current version; `self.batch(id)` is a batch that the caller may see."""

    current_only = True

    def batch(self, pk: int) -> Batch:
        """Raises NotFound, also for one that the caller may not see."""
        if pk > MAX_ID:
            unknown("batch")
        try:
            return batch_of(user=self.user, network=self.network, pk=pk)
        except NotFound as error:
            raise NotFound(error.message, field="batch", code="unknown_batch") from error

    def recipient(self, batch: Batch, pk: int) -> Recipient:
        """One person of a batch."""
        found = Recipient.objects.filter(batch=batch, pk=pk).first() if pk <= MAX_ID else None
        if found is None:
            unknown("recipient")
        found.batch = batch
        return found


def unknown(what: str) -> NoReturn:
    """404 with the code `unknown_<what>`."""
    raise NotFound(f"There is no such {what.replace('_', ' ')}.", field=what, code=f"unknown_{what}")


def batch_state(batch: Batch) -> str:
    """The half of a batch's ETag that stands for what people edit; counters are not in it."""
    lists = sorted(batch.do_not_call_lists.values_list("pk", flat=True))
    fields = [
        getattr(batch, field.attname) for field in Batch._meta.concrete_fields
        if field.name not in ("result_disabled_at", "finished_at", "started_at", "result_secret", "parameters")
    ]  # fmt: skip
    # With a key: who reads a batch must not find out a PIN among them by trying all that there are against the tag.
    parameters = salted_hmac("outbound.batch.parameters", repr(batch.parameters), algorithm="sha256").hexdigest()
    return etags.state_of(*fields, parameters, lists)


def told(data: dict[str, Any], known: set[str]) -> None:
    """Refuse fields that do not exist: a misspelt one would otherwise be lost without a word. Raises Invalid."""
    strange = sorted(set(data) - known)
    if strange:
        raise Invalid.of([(name, "unknown_field", f"“{name[:60]}” is not a field here.") for name in strange[:20]])


def committing(view: ApiView, request: Request, run: Any) -> Any:
    """Run what commits by itself (stop, pause): with an Idempotency-Key its answer is kept and given again."""
    key = key_of(request._request)
    if key is None:
        return run()
    return once(view.user, f"{request.method} {request.path}", key, request.data, run)
