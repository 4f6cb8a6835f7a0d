"""Where carriers tell us of their calls. The signature is the only credential; the carrier's adapter checks it."""

import logging
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from outbound import actions
from outbound.carriers import adapter_of
from outbound.carriers.port import Callback, NotSigned
from outbound.models import Carrier

logger = logging.getLogger(__name__)


@method_decorator(csrf_exempt, name="dispatch")
class CarrierEventsView(View):
    """POST of one or more events. 204 when they are written, whether new or repeated; 403 for a wrong signature."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, carrier: int, attempt: UUID | None = None) -> HttpResponse:
        found = Carrier.objects.filter(pk=carrier).first()
        if found is None:
            return HttpResponse(status=404)
        # The address as the carrier was told it: behind a proxy the request's own may differ, and it is signed.
        base = settings.OUTBOUND_CALLBACK_URL.rstrip("/")
        url = base + request.get_full_path() if base else request.build_absolute_uri()
        body = request.body
        callback = Callback(url, dict(request.headers), body, request.POST.dict(), attempt)
        adapter = adapter_of(found)
        try:
            events = adapter.events(callback)
        except NotSigned as error:
            logger.warning("callback refused", extra={"carrier": carrier, "cause": str(error)})
            return HttpResponse(status=403)
        except (ValueError, LookupError, TypeError, AttributeError):
            logger.warning("callback not understood", extra={"carrier": carrier})
            return HttpResponse(status=400)
        finally:
            adapter.close()
        actions.events_apply(carrier=found.pk, events=events)
        return HttpResponse(status=204)
