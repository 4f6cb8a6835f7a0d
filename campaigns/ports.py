"""What campaigns needs of the apps above it, filled by them at start (imports go one way)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# (network id, called number in E.164) -> the id of the campaign that it belongs to, or None.
campaign_of_number: Callable[[int, str], int | None] = lambda network_id, number: None  # noqa: E731


def fill_campaign_of_number(lookup: Callable[[int, str], int | None]) -> None:
    """Called by `promo_numbers` when it is ready."""
    global campaign_of_number
    campaign_of_number = lookup


# (network id, called number in E.164) -> what conditions may ask of it: media_type, promo_number_description, custom_data.
facts_of_number: Callable[[int, str], Mapping[str, Any]] = lambda network_id, number: {}  # noqa: E731


def fill_facts_of_number(lookup: Callable[[int, str], Mapping[str, Any]]) -> None:
    """Called by `promo_numbers` when it is ready."""
    global facts_of_number
    facts_of_number = lookup


@dataclass(frozen=True)
class Visit:
    """The visitor of a web page to whom a call is attributed: through which pool, since when he had the number, and what
    his page said. Without a visitor `note` says why."""

    pool: str
    address: str
    since: datetime | None
    params: Mapping[str, Any]
    note: str


# (network id, called number in E.164, time of the call) -> the visit, or None for a number that is no visitor's.
visit_of_number: Callable[[int, str, datetime], Visit | None] = lambda network_id, number, at: None  # noqa: E731


def fill_visit_of_number(lookup: Callable[[int, str, datetime], Visit | None]) -> None:
    """Called by `promo_numbers` when it is ready."""
    global visit_of_number
    visit_of_number = lookup
