"""The sidebar: composition, so this may name every app's pages. Portal pages and the admin both show it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from portal.accounts import access

Item = dict[str, Any]


def _item(
    title: str, icon: str, name: str, *under: str, but: tuple[str, ...] = (), permission: Callable | None = None
) -> Item | None:  # fmt: skip
    """An entry that leads to the page `name`. Active on it and, when `under` is given, below those paths, `but` not these.

    None where the page is not installed: an app may be left out of a deployment.
    """
    try:
        link = reverse(name)
    except NoReverseMatch:
        return None

    def active(request: HttpRequest) -> bool:
        return request.path == link or (request.path.startswith(under) and not request.path.startswith(but))

    item: Item = {"title": title, "icon": icon, "link": link, "active": active}
    if permission is not None:
        item["permission"] = permission
    return item


def _may(action: str) -> Callable[[HttpRequest], bool]:
    def allowed(request: HttpRequest) -> bool:
        network = getattr(request, "network", None)
        return access.may(request.user, action, network) if network else False

    return allowed


def _is_staff(request: HttpRequest) -> bool:
    return access.stands_above(request.user)  # type: ignore[arg-type]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of entries; an entry's `permission` hides it from whoever could not open its page."""
    calls = [
        _item("Dashboard", "space_dashboard", "home"),
        _item("Live calls", "phone_in_talk", "calls:live"),
        _item("Calls", "call_log", "calls:list", permission=None),
        _item("Simulate", "science", "calls:simulate"),
    ]
    campaigns = [
        _item("Campaigns", "campaign", "campaigns:list", "/campaigns/"),
        _item("Advertisers", "storefront", "campaigns:advertisers", "/advertisers/"),
        _item(
            "Promo numbers",
            "dialpad",
            "numbers:list",
            "/numbers/",
            but=("/numbers/csm/", "/numbers/requests/", "/numbers/stock/", "/numbers/reclaim/"),
        ),
        _item("Limit requests", "add_call", "numbers:request-list", "/numbers/requests/"),
        _item("Contracts and use", "monitoring", "numbers:csm", "/numbers/csm/", permission=_may("view_audit")),
        _item("RingPools", "dynamic_feed", "numbers:all-pools", "/ring-pools/"),
        _item(
            "Numbers without calls",
            "recycling",
            "numbers:reclaim",
            "/numbers/reclaim/",
            permission=_may("view_members"),
        ),
        _item("Stock of numbers", "inventory_2", "numbers:stock", "/numbers/stock/", permission=_is_staff),
    ]
    outbound = [
        _item("Batches", "outbound", "outbound:list", "/outbound/batches/"),
        _item("Pending queue", "hourglass_top", "outbound:queue", "/outbound/queue/"),
        _item("Do-not-call lists", "phone_disabled", "outbound:do-not-call", "/outbound/do-not-call/"),
        _item("Carriers", "cell_tower", "outbound:carriers", "/outbound/carriers/", permission=_may("view_audit")),
    ]
    network = [
        _item("Members", "group", "accounts:members", "/members/", permission=_may("view_members")),
        _item("API tokens", "key", "accounts:tokens", "/tokens/"),
        _item("Phone carriers", "cell_tower", "campaigns:voice", "/voice/", permission=_may("view_audit")),
        _item("Webhooks", "webhook", "hooks:list", "/webhooks/", permission=_may("change")),
        _item("Audit log", "history", "accounts:audit", "/audit/", permission=_may("view_audit")),
        _item("API reference", "code", "api-docs"),
        _item("Administration", "settings", "admin:index", "/admin/", permission=_may("change")),
    ]
    groups = (("", calls), ("Capacity", campaigns), ("Outbound", outbound), ("Network", network))
    return [{"title": title, "items": [item for item in items if item]} for title, items in groups]
