"""What the templates about calls are written with."""

import json
from datetime import datetime
from typing import Any

from django import template

from campaigns.callers import pretty

register = template.Library()


@register.filter
def phone(number: str | None) -> str:
    """`+18055550123` as people write it: “(805) 555-0123”."""
    return pretty(number)


@register.filter
def as_json(value: Any) -> str:
    """`value` as indented JSON, to be copied."""
    return json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def seconds_until(at: datetime, now: datetime) -> float:
    """Seconds from `now` to `at`; negative once it has passed."""
    return (at - now).total_seconds()
