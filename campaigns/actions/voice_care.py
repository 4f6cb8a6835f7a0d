"""The care of phone calls whose carrier went silent, and of text messages that are due."""

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from prometheus_client import Counter
from requests import RequestException
from twilio.base.exceptions import TwilioException

from campaigns.models import CallFlow, FlowMessage, VoiceAccount
from campaigns.treatment.flow import Input
from campaigns.voice.carrier import calls_in_progress, message_send
from portal.errors import Refused
from portal.sealing import Unreadable

from .flows import flow_heard, flow_step

logger = logging.getLogger(__name__)

LOST = Counter("headroom_calls_lost", "Calls whose end was never told and that the carrier knows nothing of any more.")

# A call this young may be missing from the carrier's list, or its webhooks may be on their way.
YOUNG = timedelta(seconds=90)
_UNREACHABLE = (TwilioException, RequestException, Unreadable)


def flows_reconcile() -> int:
    """Compare open calls with each carrier's calls in progress: end what is gone, extend the lease of what lives.

    An account that cannot be asked is left for the next time: its calls' leases run on. Returns how many were ended.
    """
    ended = 0
    for account in VoiceAccount.objects.select_related("network"):
        before = timezone.now() - YOUNG
        flows = CallFlow.objects.filter(account=account, ended_at=None, started_at__lt=before).order_by("started_at")
        if not flows.exists():
            continue
        try:
            alive = calls_in_progress(account)
        except _UNREACHABLE as error:
            logger.warning("carrier cannot be asked: %s", error, extra={"account": account.pk})
            continue
        for external_id in flows.values_list("external_id", flat=True).iterator(chunk_size=500):
            ended += _compared(account, external_id, external_id in alive)
    return ended + _forgotten()


def _compared(account: VoiceAccount, external_id: str, alive: bool) -> int:
    """One call: a sign of life, or its end. 1 if it was ended."""
    try:
        if alive:
            flow_heard(by=None, network=account.network, external_id=external_id, event="heartbeat")
            return 0
        given = Input("hangup", reason="error")
        flow_step(by=None, network=account.network, external_id=external_id, given=given)
    except Refused as error:
        logger.warning("call not reconciled: %s", error, extra={"external_id": external_id})
        return 0
    LOST.inc()
    logger.warning("a call was lost: the carrier does not know it any more", extra={"external_id": external_id})
    return 1


def _forgotten() -> int:
    """Calls of switches that cannot be asked: older than any lease, they are over."""
    before = timezone.now() - timedelta(seconds=settings.HEADROOM_CALL_LEASE) * 2
    rows = CallFlow.objects.select_related("network").filter(ended_at=None, started_at__lt=before, account=None)
    count = 0
    for flow in rows[:1000]:
        given = Input("hangup", reason="error")
        flow_step(by=None, network=flow.network, external_id=flow.external_id, given=given)
        count += 1
    return count


def messages_send(*, limit: int = 200) -> int:
    """Send the text messages that are due. Each is claimed first and tried once: none goes out twice. Returns how many."""
    now, sent = timezone.now(), 0
    due = FlowMessage.objects.filter(claimed_at=None, due_at__lte=now).order_by("due_at").values_list("pk", flat=True)
    for pk in list(due[:limit]):
        if not FlowMessage.objects.filter(pk=pk, claimed_at=None).update(claimed_at=timezone.now()):
            continue
        message = FlowMessage.objects.select_related("account").get(pk=pk)
        if message.account is None:
            message.problem = "No carrier's account brought this call."
        else:
            try:
                message_send(message.account, sender=message.sender, to=message.to, text=message.text)
            except _UNREACHABLE as error:
                message.problem = str(error)[:250]
            else:
                message.sent_at, sent = timezone.now(), sent + 1
        message.save(update_fields=["sent_at", "problem"])
    return sent


def flows_forget() -> int:
    """Blank what callers pressed and said in calls that ended CALL_KEYS_KEPT_DAYS ago: it may be a date of birth or a card.
    The way through the tree stays. Returns how many calls."""
    before = timezone.now() - timedelta(days=settings.CALL_KEYS_KEPT_DAYS)
    count = 0
    rows = CallFlow.objects.filter(ended_at__lt=before).exclude(history=[]).filter(keys_kept=True).order_by("id")
    for flow in rows[:5000]:
        flow.history = [{name: value for name, value in entry.items() if name != "digits"} for entry in flow.history]
        flow.state, flow.keys_kept = {}, False
        flow.save(update_fields=["history", "state", "keys_kept"])
        count += 1
    return count
