"""What the portal's templates are written with. See templates/portal/parts/ for the markup behind each."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django import template
from django.forms import BoundField
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString
from unfold.settings import get_config

register = template.Library()


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> list[dict[str, Any]]:
    """The sidebar's groups with the items that this user may see; the composition is named by the settings."""
    request = context["request"]
    groups = import_string(get_config()["SIDEBAR"]["navigation"])(request)
    shown = []
    for group in groups:
        items = [
            {**item, "active": item["active"](request)}
            for item in group["items"]
            if "permission" not in item or item["permission"](request)
        ]
        if items:
            shown.append({"title": group.get("title", ""), "items": items})
    return shown


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The present query string with `changes`; a value of None takes the name out. Cursors go unless given."""
    params: QueryDict = context["request"].GET.copy()
    for name in ("after", "before", "part"):
        params.pop(name, None)
    for name, value in changes.items():
        if value is None:
            params.pop(name, None)
        else:
            params[name] = str(value)
    return f"?{params.urlencode()}" if params else "?"


@register.simple_block_tag(takes_context=True)
def live(context: template.Context, content: str, name: str, seconds: int = 3, tag: str = "div") -> SafeString:
    """Ask for this part of the page again every `seconds`, as `?part=name` of the same address (`pages.part_of`).

    portal.js holds the polling while the tab is hidden or a dialog inside is open, and says so when the portal cannot
    be reached. Give elements inside that take the focus an id: htmx then keeps the focus over the exchange.
    """
    params = context["request"].GET.copy()
    params["part"] = name
    return format_html(
        '<{} id="live-{}" class="live" data-live hx-get="{}?{}" hx-trigger="every {}s, awake" hx-swap="innerHTML">{}</{}>',
        tag, name, context["request"].path, params.urlencode(), seconds, content, tag,
    )  # fmt: skip


@register.simple_block_tag(takes_context=True)
def confirm(
    context: template.Context,
    content: str,
    *,
    action: str,
    button: str,
    title: str,
    yes: str = "",
    kind: str = "danger",
    look: str = "",
    icon: str = "",
    label: str = "",
) -> str:
    """A button that asks first, then POSTs to `action`. The block's content is the dialog's text and hidden inputs.

    button: what stands on it; yes: on the dialog's own button (default the same); kind: danger or primary; look: the
    opening button's extra class; label: what a screen reader hears instead of `button`.
    """
    return render_to_string(
        "portal/parts/confirm.html",
        {
            "id": f"dialog-{uuid4().hex[:8]}", "content": content, "action": action, "button": button, "title": title,
            "yes": yes or button, "kind": kind, "look": look, "icon": icon, "label": label,
        },
        request=context["request"],
    )  # fmt: skip


@register.inclusion_tag("portal/parts/field.html")
def field(bound: BoundField, wide: bool = False, hint: str = "") -> dict[str, Any]:
    """A form field with its label, help and errors. hint: a note under it besides the help."""
    kind = bound.field.widget.__class__.__name__
    return {"field": bound, "wide": wide, "hint": hint, "is_checkbox": kind == "CheckboxInput"}


@register.inclusion_tag("portal/parts/badge.html")
def badge(text: Any, kind: str = "mute", icon: str = "") -> dict[str, Any]:
    """A small label. kind: ok, warn, bad, info, mute."""
    return {"text": text, "kind": kind, "icon": icon}


@register.inclusion_tag("portal/parts/bar.html")
def bar(value: Any, limit: Any, label: str = "", warn_at: int = 80, plain: bool = False) -> dict[str, Any]:
    """A bar of `value` against `limit`: amber from `warn_at` percent, red when full. label: what it counts (“live”).

    `plain`: a share, where being full is nothing bad.
    """
    value, limit = float(value or 0), float(limit or 0)
    part = 100 * value / limit if limit else 100
    kind = "plain" if plain else "bad" if part >= 100 else "warn" if part >= warn_at else "ok"
    return {
        "value": f"{min(value, limit) if limit else 1:g}",
        "limit": f"{limit or 1:g}",
        "kind": kind,
        "text": f"{value:g} of {limit:g} {label}".strip(),
    }


@register.inclusion_tag("portal/parts/chart.html")
def chart(chart: Any, height: str = "") -> dict[str, Any]:
    """Draw a `portal.web.charts.Chart`, with the same figures as a table."""
    return {"chart": chart, "height": height, "data": chart.data(), "id": f"chart-{uuid4().hex[:8]}"}


@register.inclusion_tag("portal/parts/pager.html", takes_context=True)
def pager(context: template.Context, page: Any) -> dict[str, Any]:
    """Previous and next of a `portal.web.lists.Page`; nothing when everything stands on one page."""
    return {
        "after": query(context, after=page.after) if page.after else "",
        "before": query(context, before=page.before) if page.before else "",
    }


@register.simple_block_tag(takes_context=True)
def empty(context: template.Context, content: str, title: str, icon: str = "inbox") -> str:
    """An empty list: what is missing, and in the content what to do next (text, links, buttons)."""
    return render_to_string("portal/parts/empty.html", {"title": title, "icon": icon, "content": content})


@register.simple_block_tag
def notice(content: str, kind: str = "info", title: str = "") -> str:
    """A boxed note in the page. kind: info, ok, warn, bad."""
    return render_to_string("portal/parts/notice.html", {"kind": kind, "title": title, "content": content})


@register.inclusion_tag("portal/parts/time.html", takes_context=True)
def when(context: template.Context, at: datetime | None, zone: str = "", full: bool = False) -> dict[str, Any]:
    """An instant in `zone` (an IANA name; default the current network's), with its ISO form for machines.

    The clock alone for today, with the date otherwise; `full`: always date, time and zone.
    """
    if at is None:
        return {"at": None}
    network = context.get("network")
    info = ZoneInfo(zone or (network.time_zone if network else "UTC"))
    local = at.astimezone(info)
    return {
        "at": local,
        "same_day": local.date() == timezone.now().astimezone(info).date(),
        "full": full,
        "zone": info.key,
    }


@register.filter
def duration(value: timedelta | float | None) -> str:
    """A length of time as h:mm:ss or m:ss."""
    if value is None:
        return ""
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    hours, rest = divmod(max(seconds, 0), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


@register.filter
def plural(count: int, words: str) -> str:
    """`3|plural:"call,calls"` -> “3 calls”."""
    one, many = words.split(",")
    return f"{count:,} {one if count == 1 else many}"


@register.filter
def percent(part: float | None, whole: float | None) -> str:
    """`3|percent:12` -> “25 %”; a dash when there is no whole."""
    return f"{100 * (part or 0) / whole:.0f} %" if whole else "–"
