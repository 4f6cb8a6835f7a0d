"""Promo numbers over the API: those of a campaign by their digits or by the customer's own ids, and all of a network."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api.resources import ResourceView
from campaigns.api.writes import CREATE, UPDATE, UPSERT, Mode
from campaigns.models import Campaign
from portal.accounts import access
from portal.api import etags, schema
from portal.api.idempotency import amend, idempotent
from portal.api.versioning import is_old
from portal.errors import Conflict, NotFound
from promo_numbers.actions import numbers_release
from promo_numbers.actions.orders import not_bought
from promo_numbers.choices import COUNTED, MediaType, NumberState, OrderState, PromoType
from promo_numbers.models import PromoNumber
from promo_numbers.queries import numbers_found

from .number_writes import At, digits_of, direct_at, number_state, number_write
from .serializers import NumberLinks, PromoNumberInput, PromoNumberSerializer, old_number

MAX_ID = 2**63 - 1
BOUGHT_LATER = (
    "202: the stock has none, and the supplier's answer is being looked up; read its object_url until its state is active"
    " (or released: none was bought)."
)


class DirectFilter(filters.FilterSet):
    """A campaign's numbers by words or digits, and media type."""

    q = filters.CharFilter(method="that_mean", label="Digits from either end, or words of description and own id.")
    media_type = filters.ChoiceFilter(choices=MediaType.choices)

    class Meta:
        model = PromoNumber
        fields: list[str] = []

    def that_mean(self, queryset: QuerySet[PromoNumber], name: str, value: str) -> QuerySet[PromoNumber]:
        return numbers_found(queryset, value)


class NumberFilter(DirectFilter):
    """A network's numbers also by campaign, kind and state."""

    campaign = filters.CharFilter(field_name="campaign__id_from_network", label="id_from_network of the campaign.")
    advertiser = filters.CharFilter(
        field_name="campaign__advertiser__id_from_network", label="id_from_network of the advertiser."
    )
    kind = filters.ChoiceFilter(choices=[("static", "Static"), ("dynamic", "Dynamic")], method="of_kind")
    state = filters.ChoiceFilter(choices=NumberState.choices, label="Left out: all but released ones.")
    promo_type = filters.ChoiceFilter(choices=PromoType.choices)

    def of_kind(self, queryset: QuerySet[PromoNumber], name: str, value: str) -> QuerySet[PromoNumber]:
        return queryset.filter(ring_pool__isnull=value == "static")


class _NumbersView(ResourceView):
    """What the views of numbers have in common."""

    queryset = PromoNumber.objects.none()

    def numbers(self) -> QuerySet[PromoNumber]:
        """The network's numbers that the caller may see, with all that a row shows: one statement."""
        rows = PromoNumber.objects.filter(network=self.network)
        return access.restrict(rows, self.user).select_related("campaign__advertiser", "ring_pool", "order")

    def bodies(self, rows: list[PromoNumber]) -> list[dict[str, Any]]:
        links = NumberLinks(self.request, self.network)
        found = PromoNumberSerializer(rows, many=True, context={"links": links}).data
        return [old_number(body) for body in found] if is_old(self.request.version) else list(found)

    def number_answer(self, pk: int, status: int = 200) -> Response:
        """The number as it stands in the database now; 202 while it is being bought, Conflict when none was."""
        number = self.numbers().select_related("campaign__network").get(pk=pk)
        order = getattr(number, "order", None)
        if status != 200 and order is not None and order.state == OrderState.FAILED:
            raise not_bought(order)
        (body,) = self.bodies([number])
        if status != 200 and number.state == NumberState.ORDERED:
            status = 202
        return self.answer(body, state=number_state(number), status=status)

    def listed(self, campaign: Campaign) -> Response:
        rows = self.numbers().filter(campaign=campaign, ring_pool=None, state__in=COUNTED)
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        return self.get_paginated_response(self.bodies(page))

    def written(self, request: Request, campaign: Campaign, at: At, mode: Mode) -> Response:  # type: ignore[override]
        number, created = number_write(
            request=request._request, by=self.user, campaign=campaign, at=at, data=self.sent, mode=mode
        )
        self.number_id = number.pk
        return self.number_answer(number.pk, 201 if created else 200)

    def settled(self, request: Request, response: Any) -> Any:
        """The answer to a POST once it is committed: what had to be bought is bought by now, failed, or looked up."""
        if not isinstance(response, Response) or response.status_code != 202:
            return response
        try:
            after = self.number_answer(self.number_id, 201)
        except Conflict:
            amend(self.user, request, None)
            raise
        amend(self.user, request, after)
        return after

    def found(self, campaign: Campaign, at: At) -> PromoNumber:
        number = direct_at(campaign, at)
        if number is None:
            raise NotFound("There is no such promo number.", field="promo_number", code="unknown_promo_number")
        return number

    def released(self, request: Request, campaign: Campaign, at: At) -> Response:
        number = direct_at(campaign, at)
        if number is None:
            access.require(self.user, "manage_numbers", campaign)
            return Response(status=204)
        access.require(self.user, "manage_numbers", number)
        etags.check_match(request._request, number_state(number))
        if number.state == NumberState.ORDERED:
            raise Conflict(
                "It is being bought; release it once it is there.", field="promo_number", code="being_bought"
            )
        numbers_release(by=self.user, numbers=[PromoNumber.objects.select_related("campaign").get(pk=number.pk)])
        return Response(status=204)


class NetworkNumbersView(_NumbersView):
    """Every promo number of the network, newest first."""

    current_only = True
    filterset_class = NumberFilter

    @extend_schema(
        operation_id="promo_numbers_search", tags=["promo numbers"], summary="Search the network's promo numbers",
        description="Static and dynamic ones; released ones with `state=released` only.",
        responses=PromoNumberSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        rows = self.numbers()
        if not request.query_params.get("state"):
            rows = rows.filter(state__in=COUNTED)
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        return self.get_paginated_response(self.bodies(page))


class NetworkNumberView(_NumbersView):
    """One promo number by our own id, in whatever state."""

    current_only = True

    @extend_schema(
        operation_id="promo_numbers_find", tags=["promo numbers"], summary="Get a promo number by our id",
        description="Also of a RingPool, being bought, or released.", parameters=[schema.IF_NONE_MATCH],
        responses={200: PromoNumberSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, number: int, **path: Any) -> Response:
        found = self.numbers().filter(pk=number).first() if number <= MAX_ID else None
        if found is None:
            raise NotFound("There is no such promo number.", field="promo_number", code="unknown_promo_number")
        return self.number_answer(found.pk)


class PromoNumbersView(_NumbersView):
    """The direct promo numbers of a campaign, newest first."""

    filterset_class = DirectFilter

    @extend_schema(
        operation_id="promo_numbers_list", tags=["promo numbers"], summary="List a campaign's direct promo numbers",
        responses=PromoNumberSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        return self.listed(self.campaign_at(campaign, advertiser))

    @extend_schema(
        operation_id="promo_numbers_create", tags=["promo numbers"], summary="Add a promo number",
        description="Answers with the number that it got. Not idempotent without an Idempotency-Key. " + BOUGHT_LATER,
        parameters=[schema.IDEMPOTENCY_KEY], request=PromoNumberInput,
        responses={201: PromoNumberSerializer, 202: PromoNumberSerializer},
    )  # fmt: skip
    def post(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Any:
        return self.settled(request, self.create(request, advertiser, campaign))

    @idempotent
    def create(self, request: Request, advertiser: str, campaign: str) -> Response:
        return self.written(request, self.campaign_at(campaign, advertiser), At(), CREATE)


class _OneView(_NumbersView):
    """One direct number; `at` reads its address."""

    def at(self, name: str) -> At:
        raise NotImplementedError

    def read(self, campaign: Campaign, name: str) -> Response:
        return self.number_answer(self.found(campaign, self.at(name)).pk)

    def upserted(self, request: Request, campaign: Campaign, name: str) -> Any:
        answer = self.written(request, campaign, self.at(name), UPSERT)
        return self.settled(request, answer)


class PromoNumberView(_OneView):
    """One direct promo number of a campaign, by its digits."""

    def at(self, name: str) -> At:
        return At(digits=digits_of(name, self.network))

    @extend_schema(
        operation_id="promo_numbers_get", tags=["promo numbers"], summary="Get a promo number",
        parameters=[schema.IF_NONE_MATCH], responses={200: PromoNumberSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, advertiser: str, campaign: str, number: str, **path: Any) -> Response:
        return self.read(self.campaign_at(campaign, advertiser), number)

    @extend_schema(
        operation_id="promo_numbers_put", tags=["promo numbers"], summary="Add, change or move a promo number",
        description="One that the campaign does not have is added, from our stock or as your own. With both destination"
        " fields it moves to that campaign; calls to it go there from then on.",
        parameters=[schema.IF_MATCH], request=PromoNumberInput,
        responses={200: PromoNumberSerializer, 201: PromoNumberSerializer},
    )  # fmt: skip
    def put(self, request: Request, advertiser: str, campaign: str, number: str, **path: Any) -> Any:
        return self.upserted(request, self.campaign_at(campaign, advertiser), number)

    @extend_schema(
        operation_id="promo_numbers_patch", tags=["promo numbers"], summary="Change or move a promo number",
        parameters=[schema.IF_MATCH], request=PromoNumberInput, responses=PromoNumberSerializer,
    )  # fmt: skip
    def patch(self, request: Request, advertiser: str, campaign: str, number: str, **path: Any) -> Response:
        return self.written(request, self.campaign_at(campaign, advertiser), self.at(number), UPDATE)

    @extend_schema(
        operation_id="promo_numbers_delete", tags=["promo numbers"], summary="Release a promo number",
        description="It rests before anybody gets it again. Of what is missing it is a no-op.",
        parameters=[schema.IF_MATCH], responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, advertiser: str, campaign: str, number: str, **path: Any) -> Response:
        return self.released(request, self.campaign_at(campaign, advertiser), self.at(number))


class OldPromoNumberView(PromoNumberView):
    """The same with POST as an upsert: the Network Integration versions."""

    @extend_schema(exclude=True)
    def post(self, request: Request, advertiser: str, campaign: str, number: str, **path: Any) -> Any:
        return self.upserted(request, self.campaign_at(campaign, advertiser), number)


class NumbersByIdView(PromoNumbersView):
    """The same collection, its numbers named by the customer's own ids."""

    @extend_schema(
        operation_id="promo_numbers_by_id_list", tags=["promo numbers"], summary="List a campaign's direct promo numbers",
        responses=PromoNumberSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        return self.listed(self.campaign_at(campaign, advertiser))

    @extend_schema(
        operation_id="promo_numbers_by_id_create", tags=["promo numbers"], summary="Add a promo number",
        description="Answers with the number that it got. " + BOUGHT_LATER,
        parameters=[schema.IDEMPOTENCY_KEY], request=PromoNumberInput,
        responses={201: PromoNumberSerializer, 202: PromoNumberSerializer},
    )  # fmt: skip
    def post(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Any:
        return self.settled(request, self.create(request, advertiser, campaign))


class NumberByIdView(_OneView):
    """One direct promo number of a campaign, by the customer's own id."""

    def at(self, name: str) -> At:
        return At(own=name)

    @extend_schema(
        operation_id="promo_numbers_by_id_get", tags=["promo numbers"], summary="Get a promo number by your id",
        parameters=[schema.IF_NONE_MATCH], responses={200: PromoNumberSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, advertiser: str, campaign: str, own: str, **path: Any) -> Response:
        return self.read(self.campaign_at(campaign, advertiser), own)

    @extend_schema(
        operation_id="promo_numbers_by_id_put", tags=["promo numbers"], summary="Add, change or move by your id",
        description="Idempotent: the same id gets one number, however often it is sent. " + BOUGHT_LATER,
        parameters=[schema.IF_MATCH], request=PromoNumberInput,
        responses={200: PromoNumberSerializer, 201: PromoNumberSerializer, 202: PromoNumberSerializer},
    )  # fmt: skip
    def put(self, request: Request, advertiser: str, campaign: str, own: str, **path: Any) -> Any:
        return self.upserted(request, self.campaign_at(campaign, advertiser), own)

    @extend_schema(
        operation_id="promo_numbers_by_id_patch", tags=["promo numbers"], summary="Change or move by your id",
        parameters=[schema.IF_MATCH], request=PromoNumberInput, responses=PromoNumberSerializer,
    )  # fmt: skip
    def patch(self, request: Request, advertiser: str, campaign: str, own: str, **path: Any) -> Response:
        return self.written(request, self.campaign_at(campaign, advertiser), self.at(own), UPDATE)

    @extend_schema(
        operation_id="promo_numbers_by_id_delete", tags=["promo numbers"], summary="Release by your id",
        description="Of what is missing it is a no-op.", parameters=[schema.IF_MATCH], responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, advertiser: str, campaign: str, own: str, **path: Any) -> Response:
        return self.released(request, self.campaign_at(campaign, advertiser), self.at(own))


class OldNumberByIdView(NumberByIdView):
    """The same with POST as an upsert: the Network Integration versions."""

    @extend_schema(exclude=True)
    def post(self, request: Request, advertiser: str, campaign: str, own: str, **path: Any) -> Any:
        return self.upserted(request, self.campaign_at(campaign, advertiser), own)
