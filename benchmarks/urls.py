"""The portal's addresses and, for the benchmark only, an authenticated DRF endpoint that does one `SELECT 1`."""

from django.db import connection
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.urls import urlpatterns as portal_urls


class SelectOne(APIView):
    """Authenticated and throttled as every endpoint is (settings), one small query, one small answer."""

    def get(self, request: Request, version: str, network_id: int) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return Response({"one": cursor.fetchone()[0]})


urlpatterns = [path("api/<str:version>/<int:network_id>/bench/one.json", SelectOne.as_view()), *portal_urls]
