"""What the campaign pages share: finding the object, rights for buttons, the words of audit events."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from campaigns.choices import CampaignStatus, CapKind
from campaigns.models import Advertiser, Campaign
from portal.accounts import access
from portal.accounts.models import User
from portal.audit.models import AuditEvent
from portal.errors import NotFound

_FIELD_WORDS = {
    "operating_24_7": "open around the clock",
    "starts_at": "first day",
    "alert_thresholds": "alert at",
    "alerts_enabled": "alerts",
    "named_regions": "regions",
    "id_from_network": "own id",
    "campaign_type": "type",
    "ivr_tree": "call treatment",
}
_EVENT_WORDS = {
    "campaign.create": "Created",
    "campaign.update": "Changed",
    "campaign.draft": "Draft changed",
    "campaign.draft_discard": "Draft discarded",
    "campaign.go_live": "Went live",
    "campaign.resume": "Resumed on the terms in force",
    "campaign.pause": "Paused",
    "campaign.archive": "Archived",
    "campaign.unarchive": "Taken from the archive",
    "cap.set": "Cap set",
    "cap.change": "Cap changed",
    "cap.clear": "Cap removed",
    "bundle.destination_add": "Destination added",
    "bundle.destination_update": "Destination changed",
    "bundle.destination_remove": "Destination removed",
    "access.grant": "Access granted",
    "access.revoke": "Access taken away",
    "advertiser.user_set": "User set",
    "advertiser.user_remove": "User removed",
    "slot.release": "Slot released by hand",
    "number.add": "Promo number added",
    "number.update": "Promo number changed",
    "number.move": "Promo number moved",
    "number.release": "Promo numbers released",
    "number_limit.campaign": "Promo Numbers Allowed changed",
    "advertiser.create": "Created",
    "advertiser.update": "Changed",
}


def user_of(request: HttpRequest) -> User:
    """The signed-in user (every page is decorated with `portal.web.pages.page`)."""
    assert isinstance(request.user, User)
    return request.user


def campaign_or_404(request: HttpRequest, pk: int, *related: str) -> Campaign:
    """The campaign, if the user may see it. Raises NotFound otherwise."""
    rows = Campaign.objects.select_related("network", "advertiser", *related).filter(pk=pk)
    campaign = access.restrict(rows, request.user).first()
    if campaign is None:
        raise NotFound("There is no such campaign.")
    return campaign


def go_live_words(campaign: Campaign) -> str:
    """What stands on the button; a paused campaign with a draft has two ways back."""
    return "Go live with the draft" if campaign.draft and campaign.status == CampaignStatus.PAUSED else "Go live"


def advertiser_or_404(request: HttpRequest, pk: int) -> Advertiser:
    """The advertiser, if the user may see it. Raises NotFound otherwise."""
    advertiser = access.restrict(Advertiser.objects.select_related("network").filter(pk=pk), request.user).first()
    if advertiser is None:
        raise NotFound("There is no such advertiser.")
    return advertiser


def rights_on(request: HttpRequest, obj: Any, *actions: str) -> dict[str, bool]:
    """Which of `actions` the user may do, for showing buttons; the actions themselves check again."""
    return {action: access.may(request.user, action, obj) for action in actions}


def crumbs_of(campaign: Campaign, *, inside: bool = False) -> list[tuple[str, str]]:
    """The way to a campaign's page; with `inside`, to a page below it."""
    crumbs = [("Campaigns", reverse("campaigns:list"))]
    return [*crumbs, (campaign.name, reverse("campaigns:detail", args=[campaign.pk]))] if inside else crumbs


def _value(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | Mapping):
        plain = isinstance(value, list) and all(isinstance(item, int | str) for item in value)
        return ", ".join(str(item) for item in value) if plain else "…"
    return str(value)


def changes_in_words(event: AuditEvent) -> list[str]:
    """An event's changes, one short line each: what it is about first, and nothing that is none or off from the start."""
    first = ("kind", "destination", "permission", "to", "amount")
    names = [*(name for name in first if name in event.changes), *(n for n in event.changes if n not in first)]
    lines = []
    for name in names:
        pair = event.changes[name]
        if not isinstance(pair, list) or len(pair) != 2:
            continue
        old, new = (_value(value) for value in pair)
        field = _FIELD_WORDS.get(name, name.replace("_", " "))
        if name == "kind":
            lines.append(CapKind(new).label if new in CapKind.values else new)
        elif old == new:
            if new == "…":
                lines.append(f"{field} changed")
            elif new != "none":
                lines.append(new)
        elif old == "none":
            if new != "no":
                lines.append(f"{field} {new}")
        else:
            lines.append(f"{field} {old} → {new}")
    return lines


def recent_changes(obj: Campaign | Advertiser, limit: int = 6) -> list[dict[str, Any]]:
    """The last audit events about an object, in words."""
    label = (obj._meta.concrete_model or type(obj))._meta.label_lower
    events = AuditEvent.objects.filter(object_type=label, object_id=str(obj.pk)).select_related("actor")[:limit]
    return [
        {
            "at": event.at,
            "who": str(event.actor) if event.actor else "The system",
            "what": _EVENT_WORDS.get(event.event, event.event.replace(".", " ").replace("_", " ").capitalize()),
            "lines": changes_in_words(event),
            "reason": event.reason,
        }
        for event in events
    ]
