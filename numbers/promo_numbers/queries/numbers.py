"""Finding promo numbers."""

import re

from django.db.models import Q, QuerySet
from django.db.models.functions import Reverse

from portal.prepared import one
from promo_numbers.choices import MediaType
from promo_numbers.models import PromoNumber

_CAMPAIGN = "SELECT campaign_id FROM numbers_promonumber WHERE network_id = %s AND number = %s AND state = 'active'"
_NUMBERLIKE = re.compile(r"^[+\d()\s.\-*x]+$")


def campaign_of_number(network_id: int, number: str) -> int | None:
    """The id of the campaign that `number` (E.164) belongs to in the network, or None. Asked with every call."""
    row = one(_CAMPAIGN, (network_id, number))
    return row[0] if row else None


def media_types() -> list[str]:
    """The fixed list of media types."""
    return list(MediaType.values)


def _starting(field: str, digits: str) -> Q:
    """A range instead of LIKE: it uses a plain index in any collation of digits."""
    return Q(**{f"{field}__gte": digits}) & Q(**{f"{field}__lt": digits + ":"})


def numbers_found(rows: QuerySet[PromoNumber], text: str) -> QuerySet[PromoNumber]:
    """Keep the rows that `text` may mean: digits as people write them, from the start of the number (national or with +)
    or its end; anything else is looked for in description, own id and campaign."""
    text = text.strip()
    if not text:
        return rows
    digits = re.sub(r"\D", "", text)
    if digits and _NUMBERLIKE.match(text):
        start = _starting("number", f"+{digits}") | _starting("number", f"+1{digits}")
        backwards = rows.annotate(backwards=Reverse("number"))
        return backwards.filter(start | _starting("backwards", digits[::-1]))
    return rows.filter(
        Q(description__icontains=text) | Q(id_from_network__iexact=text) | Q(campaign__name__icontains=text)
    )
