"""Filters that every app's lists share."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from portal.errors import Invalid


class MomentFilter(filters.IsoDateTimeFilter):
    """A moment in ISO 8601, brought to UTC: Python knows offsets that PostgreSQL refuses, such as -22:21."""

    def filter(self, queryset: QuerySet[Any], value: datetime | None) -> QuerySet[Any]:
        if value is not None and value.tzinfo is not None:
            try:
                value = value.astimezone(UTC)
            except OverflowError as error:
                raise Invalid(
                    "This moment lies outside of the calendar.", field=self.field_name, code="out_of_range"
                ) from error
        return super().filter(queryset, value)
