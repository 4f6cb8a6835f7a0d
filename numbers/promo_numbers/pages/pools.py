"""The pages of RingPools: of a network and of a campaign, one pool, creating and changing, sizing."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from campaigns.callers import pretty
from campaigns.models import Campaign
from campaigns.pages.common import campaign_or_404, rights_on, user_of
from portal.accounts import access
from portal.errors import Invalid, NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import fragment, network_of, page, part_of, show
from promo_numbers import actions
from promo_numbers.actions import LimitReached, PoolWritten
from promo_numbers.models import RingPool
from promo_numbers.queries import limits_of_network
from promo_numbers.queries import pools as queries
from promo_numbers.queries.sizing import sizing

from .ceilings import Refusal, refusal_of
from .direct import tab_context
from .pool_forms import PoolForm, SizingForm

HOLDERS = 25


def _pool_or_404(request: HttpRequest, pk: int) -> RingPool:
    rows = RingPool.objects.select_related("campaign__advertiser", "campaign__network", "network").filter(pk=pk)
    pool = access.restrict(rows, request.user).first()
    if pool is None:
        raise NotFound("There is no such RingPool.")
    return pool


def _rows(request: HttpRequest, campaign: Campaign | None = None) -> dict[str, Any]:
    """The list's context: a page of pools, each with its figures."""
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "state")}
    network = campaign.network if campaign else network_of(request)
    rows = queries.pool_list(
        user=user_of(request), network=network, campaign=campaign, search=asked["q"],
        archived=asked["state"] == "archived",
    )  # fmt: skip
    cut = keyset(rows, request.GET)
    figures = queries.figures_of(cut.rows)
    return {
        "page": cut, "rows": [(pool, figures[pool.pk]) for pool in cut.rows], "asked": asked,
        "filtered": any(asked.values()), "limits": limits_of_network(network),
    }  # fmt: skip


@page
@require_GET
def pool_index(request: HttpRequest) -> HttpResponse:
    """Every RingPool of the network that the user may see."""
    return show(request, "numbers/pools/list.html", title="RingPools", **_rows(request))


@page
@require_GET
def campaign_pools(request: HttpRequest, pk: int) -> HttpResponse:
    """The tab RingPools of a campaign."""
    campaign = campaign_or_404(request, pk)
    return show(
        request, "numbers/pools/campaign.html", title="RingPools", subtitle=campaign.name,
        manages=access.may(request.user, "manage_numbers", campaign), who_manages=access.who_may("manage_numbers", Campaign),
        **tab_context(request, campaign), **_rows(request, campaign),
    )  # fmt: skip


def _crumbs(pool: RingPool, *, inside: bool = False) -> list[tuple[str, str]]:
    crumbs = [("RingPools", reverse("numbers:all-pools"))]
    return [*crumbs, (pool.name, reverse("numbers:pool", args=[pool.pk]))] if inside else crumbs


def snippet_of(pool: RingPool, request: HttpRequest) -> str:
    """What a web site puts into its pages, with the pool's key."""
    portal = (settings.PORTAL_URL or request.build_absolute_uri("/")).rstrip("/")
    shown = pool.destination_phone_number or pool.campaign.destination_phone_number
    # The address without a fingerprint: it stands in other people's pages for years.
    return (
        f'<script async src="{portal}{settings.STATIC_URL}portal/headroom-numbers.js"\n'
        f'        data-pool="{pool.pk}" data-key="{pool.api_key}"\n'
        f'        data-replace="{pretty(shown) if shown else ""}"></script>'
    )


@page
@require_GET
def pool_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One RingPool: use now and over time, advice, who holds what, its numbers, the snippet, how it scales."""
    pool = _pool_or_404(request, pk)
    figures = queries.figures_of([pool])[pool.pk]
    now: dict[str, Any] = {
        "pool": pool,
        "figures": figures,
        "holders": queries.pool_holders(pool, HOLDERS),
        "holders_at_most": HOLDERS,
    }
    if part_of(request) == "now":
        return fragment(request, "numbers/pools/now.html", ended=pool.archived_at is not None, **now)
    span = "7d" if request.GET.get("span") == "7d" else "24h"
    use, visits = queries.pool_charts(pool, span)
    cut = keyset(queries.pool_numbers(pool), request.GET, order=("id",))
    return show(
        request, "numbers/pools/pool.html", title=pool.name, subtitle=f"RingPool of {pool.campaign}", crumbs=_crumbs(pool),
        **now, use=use, visits=visits, span=span, page=cut, advice=queries.pool_advice(pool, figures),
        manages=pool.archived_at is None and access.may(request.user, "manage_numbers", pool),
        snippet=snippet_of(pool, request), campaign=pool.campaign, now=timezone.now(),
    )  # fmt: skip


def _saved(
    request: HttpRequest, form: PoolForm, write: Callable[[], PoolWritten], said: str
) -> tuple[PoolWritten | None, Refusal | None, int]:
    """(what was written, the limit that refused it, status of the page)."""
    if not form.is_valid():
        return None, None, 422
    try:
        written = write()
    except LimitReached as error:
        return None, refusal_of(error, user_of(request)), error.status
    except Refused as error:
        form.refuse(error)
        return None, None, error.status
    messages.success(request, " ".join([said.format(pool=written.pool), *written.remarks]))
    return written, None, 200


@page
def pool_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Create a RingPool on a campaign."""
    campaign = campaign_or_404(request, pk)
    access.require(user_of(request), "manage_numbers", campaign)
    form = PoolForm(request.POST if request.method == "POST" else None)
    refusal, status = None, 200
    if form.is_bound:
        written, refusal, status = _saved(
            request, form,
            lambda: actions.ring_pool_create(by=user_of(request), campaign=campaign, **form.values()),
            "The RingPool “{pool}” is created.",
        )  # fmt: skip
        if written:
            return redirect("numbers:pool", pk=written.pool.pk)
    context = tab_context(request, campaign)
    context["crumbs"] += [("RingPools", reverse("numbers:pools", args=[campaign.pk]))]
    return show(
        request, "numbers/pools/form.html", title="New RingPool", subtitle=campaign.name, status=status, form=form,
        refusal=refusal, limits=limits_of_network(campaign.network), back=reverse("numbers:pools", args=[campaign.pk]),
        submit="Create RingPool", **context,
    )  # fmt: skip


@page
def pool_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a RingPool."""
    pool = _pool_or_404(request, pk)
    access.require(user_of(request), "manage_numbers", pool)
    form = PoolForm(request.POST if request.method == "POST" else None, pool=pool)
    refusal, status = None, 200
    if form.is_bound:
        written, refusal, status = _saved(
            request, form, lambda: actions.ring_pool_update(by=user_of(request), pool=pool, **form.values()),
            "The RingPool “{pool}” is saved.",
        )  # fmt: skip
        if written:
            return redirect("numbers:pool", pk=pk)
    return show(
        request, "numbers/pools/form.html", title="Edit RingPool", subtitle=pool.name, status=status, form=form,
        refusal=refusal, limits=limits_of_network(pool.network), crumbs=_crumbs(pool, inside=True), pool=pool,
        campaign=pool.campaign, tab_rights=rights_on(request, pool.campaign, "change", "manage_access"),
        back=reverse("numbers:pool", args=[pk]), submit="Save",
    )  # fmt: skip


@page
@require_POST
def pool_resize(request: HttpRequest, pk: int) -> HttpResponse:
    """Add numbers or take some out; a limit in the way is shown with the way to more."""
    pool = _pool_or_404(request, pk)
    text = request.POST.get("count", "").strip()
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    shrinks = request.POST.get("direction") == "shrink"
    resize = actions.ring_pool_shrink if shrinks else actions.ring_pool_grow
    try:
        written = resize(by=user_of(request), pool=pool, count=count)
    except LimitReached as error:
        return show(
            request, "numbers/pools/refused.html", title="Add numbers", subtitle=pool.name, status=error.status,
            crumbs=_crumbs(pool, inside=True), pool=pool, refusal=refusal_of(error, user_of(request)),
        )  # fmt: skip
    except (Invalid, Refused) as error:
        if error.status in (403, 404):
            raise
        messages.error(request, error.message)
    else:
        messages.success(request, " ".join(written.remarks) or "Nothing was changed.")
    return redirect("numbers:pool", pk=pk)


@page
@require_POST
def pool_archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Archive a RingPool and release its numbers."""
    pool = _pool_or_404(request, pk)
    written = actions.ring_pool_archive(by=user_of(request), pool=pool, reason=request.POST.get("reason", "").strip())
    messages.success(request, " ".join([f"The RingPool “{pool}” is archived.", *written.remarks]))
    return redirect("numbers:pools", pk=pool.campaign_id)


@page
@require_GET
def pool_sizing(request: HttpRequest) -> HttpResponse:
    """How many numbers a pool needs, with the sum. Everything stands in the address, so that it can be shared."""
    asked = any(name in request.GET for name in ("visitors", "lifetime"))
    form = SizingForm({"blocking": "1", **request.GET.dict()} if asked else None)
    found = None
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            found = sizing(given["visitors"], given["lifetime"], given["blocking"] / 100)
        except ValueError as error:
            form.add_error(None, f"These figures cannot be worked out: {error}.")
    return show(
        request, "numbers/pools/sizing.html", title="RingPool sizing", crumbs=[("RingPools", reverse("numbers:all-pools"))],
        form=form, found=found, limits=limits_of_network(network_of(request)),
    )  # fmt: skip
