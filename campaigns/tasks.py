"""Celery tasks. Each only calls an action; all are safe to repeat, to overlap and to miss."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from campaigns import actions


@shared_task(ignore_result=True)
def sweep_expired_slots() -> int:
    """Give back the slots whose lease ran out."""
    return actions.slots_sweep()


@shared_task(ignore_result=True)
def reconcile_live_counts(with_usage: bool = False) -> int:
    """Renew passed periods, then compare and repair counters; returns how many had drifted."""
    actions.periods_renew()
    return len(actions.live_counts_reconcile(with_usage=with_usage))


@shared_task(ignore_result=True)
def roll_up_hours() -> int:
    """Sum up this hour and the one before."""
    return actions.hours_roll_up()


@shared_task(ignore_result=True)
def check_alerts() -> int:
    """Tell of caps that reached a threshold or have room again."""
    return actions.alerts_check()


@shared_task(ignore_result=True)
def reconcile_flows() -> int:
    """End the phone calls that their carrier no longer knows; extend the leases of those that live."""
    return actions.flows_reconcile()


@shared_task(ignore_result=True)
def send_flow_messages() -> int:
    """Send the text messages that callers accepted and that are due."""
    return actions.messages_send()


@shared_task(ignore_result=True)
def pause_due_campaigns() -> int:
    """Pause the campaigns whose pause date has come."""
    return actions.campaigns_pause_due()


@shared_task(ignore_result=True)
def price_legs() -> int:
    """Price calls whose campaigns have policies with conditions."""
    return actions.legs_price()


@shared_task(ignore_result=True)
def roll_up_last_days() -> int:
    """Sum up the last two days again: what was priced or reported late stands in its hour too."""
    return actions.hours_roll_up(since=timezone.now() - timedelta(days=2))


@shared_task(ignore_result=True)
def forget_keys() -> int:
    """Blank what callers pressed a month ago."""
    return actions.flows_forget()
