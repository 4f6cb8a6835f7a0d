"""Finding promo numbers."""

import json
import re
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet
from django.db.models.functions import Reverse

from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.prepared import one
from promo_numbers.choices import COUNTED, MediaType, NumberState
from promo_numbers.models import PromoNumber
from promo_numbers.models.numbers import WORDS

_CAMPAIGN = "SELECT campaign_id FROM numbers_promonumber WHERE network_id = %s AND number = %s AND state = 'active'"
_NUMBERLIKE = re.compile(r"^[+\d()\s.\-*x]+$")
_PUNCTUATION = re.compile(r"[!-/:-@[-`{-~\s]+")
# More rows than this are so common that walking the list in its order meets a page of them soon.
RARE = 1000
MOST_CAMPAIGNS = 200


def campaign_of_number(network_id: int, number: str) -> int | None:
    """The id of the campaign that `number` (E.164) belongs to in the network, or None. Asked with every call."""
    row = one(_CAMPAIGN, (network_id, number))
    return row[0] if row else None


def facts_of_number(network_id: int, number: str) -> dict[str, Any]:
    """What conditions may ask of a called number in use: media_type, promo_number_description, custom_data; {} without one."""
    found = PromoNumber.objects.filter(network=network_id, number=number, state=NumberState.ACTIVE)
    row = found.values("media_type", "description", "custom_data").first()
    if row is None:
        return {}
    return {
        "media_type": row["media_type"], "promo_number_description": row["description"], "custom_data": row["custom_data"],
    }  # fmt: skip


def media_types() -> list[str]:
    """The fixed list of media types."""
    return list(MediaType.values)


def _starting(field: str, digits: str) -> Q:
    """A range instead of LIKE: it uses a plain index in any collation of digits."""
    return Q(**{f"{field}__gte": digits}) & Q(**{f"{field}__lt": digits + ":"})


def _meant(rows: QuerySet[PromoNumber], text: str, campaigns: QuerySet[Campaign] | None) -> QuerySet[PromoNumber]:
    digits = re.sub(r"\D", "", text)
    if digits and _NUMBERLIKE.match(text):
        start = _starting("number", f"+{digits}") | _starting("number", f"+1{digits}")
        backwards = rows.annotate(backwards=Reverse("number"))
        return backwards.filter(start | _starting("backwards", digits[::-1]))
    # By themselves: joined in, the campaigns' names would keep every index on numbers from being used.
    named: list[int] = []
    if campaigns is not None and len(text) >= 2:
        found = campaigns.filter(name__icontains=text).order_by()
        named = list(found.values_list("pk", flat=True)[:MOST_CAMPAIGNS])
    words = " & ".join(f"{word}:*" for word in _PUNCTUATION.split(text) if word)
    if not words:
        return rows.filter(campaign__in=named)
    return rows.annotate(words=WORDS).filter(
        Q(words=SearchQuery(words, config="simple", search_type="raw")) | Q(campaign__in=named)
    )


def numbers_found(
    rows: QuerySet[PromoNumber], text: str, campaigns: QuerySet[Campaign] | None = None
) -> QuerySet[PromoNumber]:
    """Keep the rows that `text` may mean: digits as people write them, from the start of the number (national or with +)
    or its end; otherwise words that begin so in description and own id, or a part of the name of one of `campaigns`.

    One or two statements at once. Few rows are found through the indexes and named by id: left to itself, PostgreSQL
    may walk the whole network in the list's order to find them.
    """
    text = text.replace("\x00", "").strip()
    if not text:
        return rows
    meant = _meant(rows, text, campaigns)
    found = list(meant.order_by().values_list("pk", flat=True)[: RARE + 1])
    return meant if len(found) > RARE else rows.filter(pk__in=found)


def numbers_visible(user: User, network: Network) -> QuerySet[PromoNumber]:
    """The numbers of `network` that `user` may see, released ones too."""
    return access.restrict(PromoNumber.objects.filter(network=network), user)


def _in_state(rows: QuerySet[PromoNumber], state: str) -> QuerySet[PromoNumber]:
    return rows.filter(state=state) if state in NumberState.values else rows.filter(state__in=COUNTED)


def direct_numbers(campaign: Campaign, *, search: str = "", state: str = "") -> QuerySet[PromoNumber]:
    """The direct (static) numbers of a campaign; state: empty = all that count against its limit."""
    return numbers_found(_in_state(PromoNumber.objects.filter(campaign=campaign, ring_pool=None), state), search)


def number_list(
    *,
    user: User,
    network: Network,
    search: str = "",
    campaign: int | None = None,
    kind: str = "",
    state: str = "",
    media_type: str = "",
) -> QuerySet[PromoNumber]:
    """The network's numbers, to be ordered and cut by `portal.web.lists.keyset`.

    kind: static or dynamic, empty = both. state: empty = all that count against the limits. Unknown values ask nothing.
    """
    rows = _in_state(numbers_visible(user, network), state)
    if campaign is not None:
        rows = rows.filter(campaign=campaign)
    if kind in ("static", "dynamic"):
        rows = rows.filter(ring_pool__isnull=kind == "static")
    if media_type in MediaType.values:
        rows = rows.filter(media_type=media_type)
    return numbers_found(rows, search, Campaign.objects.filter(network=network)).select_related("campaign", "ring_pool")


def custom_data_text(data: dict[str, Any]) -> str:
    """Custom data as one “name = value” per line; what is not text as JSON."""
    return "\n".join(
        f"{name} = {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in data.items()
    )
