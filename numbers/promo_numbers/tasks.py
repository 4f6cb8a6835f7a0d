"""Celery tasks of promo numbers. Each only calls an action; all are safe to repeat, to overlap and to miss."""

from celery import shared_task

from . import actions
from .actions import days, imports


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
