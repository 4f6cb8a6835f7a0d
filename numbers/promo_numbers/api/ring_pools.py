"""RingPools of a campaign: list, read, create, change, archive."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api.input import cleaned
from campaigns.api.links import Links
from campaigns.api.resources import ResourceView
from campaigns.api.terms import extra_of
from campaigns.api.writes import UPDATE, UPSERT, Mode
from campaigns.models import Campaign
from portal.accounts import access
from portal.api import etags, schema
from portal.api.idempotency import idempotent
from portal.api.versioning import is_old
from portal.errors import Conflict, Invalid, NotFound
from promo_numbers import actions
from promo_numbers.actions import PoolWritten
from promo_numbers.models import RingPool
from promo_numbers.queries.pools import figures_of

from .ring_pool_serializers import (
    RingPoolCurrentSerializer,
    RingPoolInput,
    RingPoolSerializer,
    RingPoolWrittenSerializer,
)

# Given back by a read, so clients send them again; never written.
READ_ONLY = (
    "id", "object_url", "api_key", "size", "in_use", "scale_refusal", "created_at", "updated_at", "remarks", "oauth_token",
)  # fmt: skip


def pool_state(pool: RingPool) -> str:
    """The part of a pool's ETag that stands for what users edit; that it grew by itself is no edit."""
    edited = [getattr(pool, name) for name in ("name", "id_from_network", "extra", "archived_at")]
    return etags.state_of(pool.pk, *edited, *(getattr(pool, name) for name in actions.pool_fields.FIELDS))


class _RingPools(ResourceView):
    """What the views of RingPools share."""

    def pools(self, campaign: Campaign) -> QuerySet[RingPool]:
        rows = RingPool.objects.select_related("campaign__network", "campaign__advertiser").filter(
            campaign=campaign, archived_at=None
        )
        return access.restrict(rows, self.user)

    def pool_at(self, campaign: Campaign, own: str) -> RingPool:
        found = self.pools(campaign).filter(id_from_network=own).first()
        if found is None:
            raise NotFound("There is no such RingPool.", field="ring_pool")
        return found

    def _url(self) -> Callable[[RingPool], str]:
        links = Links(self.request, self.network)

        def url(pool: RingPool) -> str:
            base = links.campaign(pool.campaign).removesuffix(".json")
            return f"{base}/ring_pools/{quote(pool.id_from_network, safe='')}.json"

        return url

    def bodies(self, pools: list[RingPool]) -> list[dict[str, Any]]:
        context: dict[str, Any] = {"url": self._url()}
        if is_old(self.request.version):
            return list(RingPoolSerializer(pools, many=True, context=context).data)
        context["figures"] = figures_of(pools)
        return list(RingPoolCurrentSerializer(pools, many=True, context=context).data)

    def pool_answer(self, pool: RingPool, status: int = 200, **more: Any) -> Response:
        (body,) = self.bodies([pool])
        return self.answer({**body, **more}, state=pool_state(pool), status=status)

    def write(self, mode: Mode, advertiser: str, campaign: str, path_id: str | None = None) -> Response:
        """Create or change as `mode` allows. An upsert that meets another one creating the same runs again, and changes it."""
        found = self.campaign_at(campaign, advertiser)
        for last in (False, True):
            try:
                with transaction.atomic():
                    written, created = self._write(mode, found, path_id)
                break
            except (Conflict, IntegrityError) as error:
                raced = isinstance(error, IntegrityError) or error.code == "id_taken"
                if last or mode is not UPSERT or not raced:
                    raise
        pool = self.pools(found).get(pk=written.pool.pk)
        more = {} if is_old(self.request.version) else {"remarks": written.remarks}
        return self.pool_answer(pool, 201 if created else 200, **more)

    def _write(self, mode: Mode, campaign: Campaign, path_id: str | None) -> tuple[PoolWritten, bool]:
        data = {name: value for name, value in self.sent.items() if name not in READ_ONLY}
        given = cleaned(RingPoolInput, data)
        own = given.pop("id_from_network", None)
        if path_id is not None and own not in (None, "", path_id):
            raise Invalid(
                f"The address says “{path_id}”, the body “{own}”; an id does not change.", field="id_from_network",
                code="id_mismatch",
            )  # fmt: skip
        own = path_id if path_id is not None else own
        present = self.pools(campaign).filter(id_from_network=own).first() if mode.update and own else None
        if present is not None:
            actions.numbers.network_hold(campaign.network_id)
            present.refresh_from_db()
        etags.check_match(self.request._request, pool_state(present) if present else None)
        extra = extra_of(data, RingPoolInput, present.extra if present else {})
        if "destination_phone_number" in given:
            given["destination_phone_number"] = given["destination_phone_number"] or ""
        if present is not None:
            values = {**given, **({"extra": {**present.extra, **extra}} if extra else {})}
            return actions.ring_pool_update(by=self.user, pool=present, **values), False
        if not mode.create:
            raise NotFound("There is no such RingPool.", field="ring_pool")
        name = given.pop("name", "")
        made = actions.ring_pool_create(
            by=self.user, campaign=campaign, name=name, id_from_network=own, extra=extra, **given
        )
        return made, True


class RingPoolsView(_RingPools):
    """The RingPools of a campaign, newest first; archived ones are left out."""

    queryset = RingPool.objects.none()

    @extend_schema(
        operation_id="ring_pools_list", tags=["ring_pools"], summary="List a campaign's RingPools",
        responses=RingPoolCurrentSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        rows = self.paginate_queryset(self.pools(self.campaign_at(campaign, advertiser))) or []
        return self.get_paginated_response(self.bodies(rows))

    @extend_schema(
        operation_id="ring_pools_create", tags=["ring_pools"], summary="Create a RingPool",
        description="Takes its numbers, all or none: 409 promo_number_limit_reached, out_of_numbers.",
        parameters=[schema.IDEMPOTENCY_KEY], request=RingPoolInput, responses={201: RingPoolWrittenSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        return self.write(self.post_mode(request), advertiser, campaign)


class RingPoolView(_RingPools):
    """One RingPool."""

    @extend_schema(
        operation_id="ring_pools_get", tags=["ring_pools"], summary="Get a RingPool", parameters=[schema.IF_NONE_MATCH],
        responses={200: RingPoolCurrentSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, advertiser: str, campaign: str, pool: str, **path: Any) -> Response:
        return self.pool_answer(self.pool_at(self.campaign_at(campaign, advertiser), pool))

    @extend_schema(
        operation_id="ring_pools_put", tags=["ring_pools"], summary="Create or change a RingPool",
        description="What is left out keeps its value. A smaller max_pool_size releases numbers as they become free.",
        parameters=[schema.IF_MATCH], request=RingPoolInput,
        responses={200: RingPoolWrittenSerializer, 201: RingPoolWrittenSerializer},
    )  # fmt: skip
    def put(self, request: Request, advertiser: str, campaign: str, pool: str, **path: Any) -> Response:
        return self.write(UPSERT, advertiser, campaign, pool)

    @extend_schema(
        operation_id="ring_pools_patch", tags=["ring_pools"], summary="Change a RingPool", parameters=[schema.IF_MATCH],
        request=RingPoolInput, responses=RingPoolWrittenSerializer,
    )  # fmt: skip
    def patch(self, request: Request, advertiser: str, campaign: str, pool: str, **path: Any) -> Response:
        return self.write(UPDATE, advertiser, campaign, pool)

    @extend_schema(
        operation_id="ring_pools_delete", tags=["ring_pools"], summary="Archive a RingPool",
        description="Releases all its numbers; its key opens nothing any more. Of what is missing it is a no-op.",
        responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, advertiser: str, campaign: str, pool: str, **path: Any) -> Response:
        found = self.pools(self.campaign_at(campaign, advertiser)).filter(id_from_network=pool).first()
        if found is not None:
            actions.ring_pool_archive(by=self.user, pool=found)
        return Response(status=204)


class OldRingPoolView(RingPoolView):
    """The same with POST as an upsert: the Network Integration versions."""

    @extend_schema(exclude=True)
    @idempotent
    def post(self, request: Request, advertiser: str, campaign: str, pool: str, **path: Any) -> Response:
        return self.write(UPSERT, advertiser, campaign, pool)
