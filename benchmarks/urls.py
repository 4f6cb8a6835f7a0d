"""The portal's addresses and the yardstick: an ordinary authenticated DRF view that asks the database for 1."""

from typing import Any

from django.db import connection
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.views import ApiView
from portal.urls import urlpatterns as portal_urlpatterns


class SelectOne(ApiView):
    """As cheap as an endpoint with authentication, rights, rate limit and one query can be."""

    def get(self, request: Request, **path: Any) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return Response({"one": cursor.fetchone()[0]})


urlpatterns = [path("api/<str:version>/<int:network_id>/select_one.json", SelectOne.as_view()), *portal_urlpatterns]
