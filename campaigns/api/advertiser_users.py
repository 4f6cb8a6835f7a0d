"""The users of an advertiser: the Network Integration shape over members and grants (`actions.advertiser_user_set`)."""

from typing import Any
from urllib.parse import quote

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import actions
from campaigns.actions.advertiser_users import ROLE_NAMES
from campaigns.models import Advertiser, AdvertiserUser
from portal.accounts import access
from portal.accounts.roles import Role
from portal.api import schema
from portal.api.idempotency import idempotent
from portal.api.versioning import is_old
from portal.errors import Conflict, Invalid, NotFound

from .input import Flag, Text, cleaned
from .resources import ResourceView
from .terms import extra_of


class EmailSettingSerializer(serializers.Serializer):
    """An address of a user. The first is the one that he signs in with."""

    email_address = Text(max_length=254)
    use_for_notifications = Flag(required=False)


class UserSerializer(serializers.Serializer):
    """A user of an advertiser. Fields that Headroom does not use (notify_on_…, contact_phone_number) are kept."""

    id = serializers.IntegerField(read_only=True)
    id_from_network = serializers.CharField(read_only=True)
    first_name = serializers.CharField(allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)
    email_settings = EmailSettingSerializer(many=True)
    role = serializers.ChoiceField(list(ROLE_NAMES))
    object_url = serializers.CharField(read_only=True)


class UserInput(serializers.Serializer):
    """A user to write; what is left out keeps its value. Any further field is kept and given back."""

    id_from_network = Text(max_length=100, required=False, allow_null=True, number_too=True)
    first_name = Text(max_length=100, required=False, allow_blank=True)
    last_name = Text(max_length=100, required=False, allow_blank=True)
    email_settings = EmailSettingSerializer(many=True, required=False)
    role = Text(max_length=20, required=False)


class _UsersView(ResourceView):
    """Whoever may read it reads names and addresses of people: Supers alone, as for the members of the network."""

    def people_of(self, own: str) -> Advertiser:
        advertiser = self.advertisers().select_related("network").filter(id_from_network=own).first()
        if advertiser is None:
            raise NotFound("There is no such advertiser.", field="advertiser")
        access.require(self.user, "manage_members", self.network)
        return advertiser

    def body(self, person: AdvertiserUser) -> dict[str, Any]:
        advertiser = quote(person.advertiser.id_from_network, safe="")
        path = f"/api/{self.request.version}/{self.network.pk}/advertisers/{advertiser}/users/"
        settings = person.extra.get("email_settings") or [{}]
        first = {"use_for_notifications": True, **settings[0], "email_address": person.user.email}
        return {
            **person.extra,
            "id": person.pk,
            "id_from_network": person.id_from_network,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email_settings": [first, *settings[1:]],
            "role": Role(person.role).name.title(),
            "object_url": self.request.build_absolute_uri(f"{path}{quote(person.id_from_network, safe='')}.json"),
        }

    def write(self, advertiser: Advertiser, path_id: str | None, *, creates_only: bool = False) -> Response:
        given = cleaned(UserInput, {name: value for name, value in self.sent.items() if value is not None})
        own = path_id or given.get("id_from_network")
        if path_id and given.get("id_from_network") not in (None, "", path_id):
            raise Invalid(
                f"The address says “{path_id}”, the body “{given['id_from_network']}”; an id does not change.",
                field="id_from_network", code="id_mismatch",
            )  # fmt: skip
        found = AdvertiserUser.objects.filter(advertiser=advertiser, id_from_network=own).first() if own else None
        if found and creates_only:
            raise Conflict(f"The id “{own}” is taken.", field="id_from_network", code="id_taken")
        extra = extra_of(self.sent, UserInput, found.extra if found else {})
        emails = [dict(row) for row in given.get("email_settings", [])]
        if emails:
            extra["email_settings"] = emails
        person, created = actions.advertiser_user_set(
            by=self.user, advertiser=advertiser, id_from_network=own,
            email=emails[0]["email_address"] if emails else None, role=given.get("role"),
            first_name=given.get("first_name"), last_name=given.get("last_name"), extra=extra,
        )  # fmt: skip
        return Response(self.body(person), status=201 if created else 200)


class AdvertiserUsersView(_UsersView):
    """The users of an advertiser, newest first. Needs the role Super."""

    queryset = AdvertiserUser.objects.none()

    @extend_schema(
        operation_id="advertiser_users_list", tags=["advertisers"], summary="List an advertiser's users",
        responses=UserSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, advertiser: str, **path: Any) -> Response:
        rows = AdvertiserUser.objects.select_related("user", "advertiser").filter(advertiser=self.people_of(advertiser))
        return self.get_paginated_response([self.body(row) for row in self.paginate_queryset(rows) or []])

    @extend_schema(
        operation_id="advertiser_users_create", tags=["advertisers"], summary="Add a user to an advertiser",
        parameters=[schema.IDEMPOTENCY_KEY], request=UserInput, responses={201: UserSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, advertiser: str, **path: Any) -> Response:
        return self.write(self.people_of(advertiser), None, creates_only=not is_old(request.version))


class AdvertiserUserView(_UsersView):
    """One user of an advertiser."""

    @extend_schema(
        operation_id="advertiser_users_get", tags=["advertisers"], summary="Get a user", responses=UserSerializer
    )
    def get(self, request: Request, advertiser: str, person: str, **path: Any) -> Response:
        rows = AdvertiserUser.objects.select_related("user", "advertiser").filter(advertiser=self.people_of(advertiser))
        found = rows.filter(id_from_network=person).first()
        if found is None:
            raise NotFound("There is no such user.", field="user")
        return self.answer(self.body(found))

    @extend_schema(
        operation_id="advertiser_users_put", tags=["advertisers"], summary="Add or change a user", request=UserInput,
        responses={200: UserSerializer, 201: UserSerializer},
    )  # fmt: skip
    def put(self, request: Request, advertiser: str, person: str, **path: Any) -> Response:
        return self.write(self.people_of(advertiser), person)

    @extend_schema(
        operation_id="advertiser_users_delete", tags=["advertisers"], summary="Take a user from an advertiser",
        responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, advertiser: str, person: str, **path: Any) -> Response:
        """His grants on the advertiser go; he stays a member of the network. Of one who is not there: nothing to do."""
        found = self.people_of(advertiser)
        actions.advertiser_user_remove(by=self.user, advertiser=found, id_from_network=person)
        return Response(status=204)


class OldAdvertiserUserView(AdvertiserUserView):
    """The same with POST as an upsert: the Network Integration versions."""

    @extend_schema(exclude=True)
    @idempotent
    def post(self, request: Request, advertiser: str, person: str, **path: Any) -> Response:
        return self.write(self.people_of(advertiser), person)
