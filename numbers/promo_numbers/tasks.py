"""Celery tasks of promo numbers. Each only calls an action; all are safe to repeat, to overlap and to miss."""

from uuid import UUID

from celery import shared_task

from . import actions
from .actions import days, imports, last_calls, orders, reclaim, stock


@shared_task(ignore_result=True)
def run_number_import(job_id: int) -> None:
    """Work on an import for some seconds, then let other tasks have their turn before it goes on."""
    if imports.import_run(job_id):
        run_number_import.delay(job_id)


@shared_task(ignore_result=True)
def take_over_number_imports() -> int:
    """Go on with imports whose worker died."""
    return imports.imports_take_over()


@shared_task(ignore_result=True)
def sum_up_pools() -> bool:
    """Sum up what visitors did in the RingPools, by five minutes."""
    return actions.pools_sum_up()


@shared_task(ignore_result=True)
def scale_pools() -> int:
    """Let RingPools grow or shrink one step as they need."""
    actions.pools_sum_up()
    return actions.pools_scale()


@shared_task(ignore_result=True)
def clean_pools() -> int:
    """Once a month for each pool: give back what it did not use. And forget what is too old."""
    actions.pools_forget()
    return actions.pools_clean()


@shared_task(ignore_result=True)
def roll_up_number_days() -> int:
    """Write down the use of every day up to yesterday."""
    return days.days_roll_up()


@shared_task(ignore_result=True)
def place_number_orders(order_ids: list[str] | None = None) -> int:
    """Send orders of numbers: these, or (by beat) those whose wake-up was lost. Each is sent once, whoever does it."""
    return orders.orders_place([UUID(pk) for pk in order_ids] if order_ids is not None else None)


@shared_task(ignore_result=True)
def look_up_number_orders() -> int:
    """Ask what became of orders without an answer. Never buys."""
    return orders.orders_look_up()


@shared_task(ignore_result=True)
def point_number(number: str) -> bool:
    """Send a number's calls to the network that has it now."""
    return orders.number_point(number)


@shared_task(ignore_result=True)
def reconcile_suppliers() -> None:
    """Hold the stock against what suppliers say that we hold."""
    stock.suppliers_reconcile()


@shared_task(ignore_result=True)
def wake_stock() -> None:
    """Free numbers whose rest is over."""
    stock.stock_wake_up()


@shared_task(ignore_result=True)
def roll_up_last_calls() -> int:
    """Bring “Last call” up to now."""
    return last_calls.last_calls_roll_up()


@shared_task(ignore_result=True)
def reclaim_numbers() -> dict[str, int]:
    """Propose, remind of and reclaim numbers without calls, as the day says."""
    return reclaim.reclaim_run()
