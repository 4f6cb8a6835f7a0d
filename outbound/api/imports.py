"""Lists over the API: the file is the body, read in pieces, never held whole."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from outbound import actions
from outbound.models import BatchImport
from outbound.queries.batches import import_list
from portal.accounts import access
from portal.api.body import LengthRequired, TooLarge
from portal.api.permissions import MAX_ID
from portal.api.views import GenericAPIView  # the size of this body has a limit of its own

from .common import OutboundView, unknown
from .serializers import ImportSerializer

PIECE = 1 << 20


class CsvParser(BaseParser):
    """Leaves the body where it is."""

    media_type = "text/csv"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return {"stream": stream}


class ImportsView(OutboundView):
    """The lists of a batch, newest first."""

    queryset = BatchImport.objects.none()
    parser_classes = [CsvParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method != "POST":
            return super().initial(request, *args, **kwargs)
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length.isdigit():
            raise LengthRequired("Send the file with a Content-Length.")
        if int(length) > settings.OUTBOUND_UPLOAD_LIMIT:
            raise TooLarge(
                f"The file has {int(length):,} bytes; {settings.OUTBOUND_UPLOAD_LIMIT:,} are allowed. Split it.",
                details={"limit_bytes": settings.OUTBOUND_UPLOAD_LIMIT},
            )
        GenericAPIView.initial(self, request, *args, **kwargs)
        self.check_current(request)
        return None

    def check_current(self, request: Request) -> None:
        from portal.api.fast import only_in_current

        only_in_current(request.version or "")

    @extend_schema(
        operation_id="batch_imports_list", tags=["outbound"], summary="List a batch's imports",
        responses=ImportSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, batch: int, **path: Any) -> Response:
        rows = self.paginate_queryset(import_list(batch=self.batch(batch))) or []
        return self.get_paginated_response(ImportSerializer(rows, many=True).data)

    @extend_schema(
        operation_id="batch_imports_create", tags=["outbound"], summary="Import a list",
        description="The body is the CSV file (Content-Type: text/csv); its first row names the columns. The import runs in the "
        "background: ask for it until its state is done.",
        parameters=[
            OpenApiParameter("file_name", str, description="What to call it."),
            OpenApiParameter("number_column", str, description="Default: destination, phone_number, number, phone or to."),
            OpenApiParameter("time_zone_column", str, description="Default: time_zone."),
            OpenApiParameter("ani_column", str, description="Default: ani."),
        ],
        request={"text/csv": OpenApiTypes.BINARY}, responses={202: ImportSerializer},
    )  # fmt: skip
    def post(self, request: Request, batch: int, **path: Any) -> Response:
        found = self.batch(batch)
        access.require(self.user, "change", found)
        asked = request.query_params
        given = {"number_column": "destination", "time_zone_column": "time_zone", "ani_column": "ani"}
        columns = {asked[name]: means for name, means in given.items() if asked.get(name)}
        stream = request.data.get("stream") if isinstance(request.data, dict) else None
        job = actions.import_create(
            by=self.user,
            batch=found,
            file_name=asked.get("file_name") or "list.csv",
            pieces=_pieces(stream),
            columns=columns,
        )
        return Response(ImportSerializer(job).data, status=202)


def _pieces(stream: Any) -> Iterator[bytes]:
    while stream is not None and (piece := stream.read(PIECE)):
        yield piece


class ImportView(OutboundView):
    def job(self, batch: int, pk: int) -> BatchImport:
        found = import_list(batch=self.batch(batch)).select_related("batch").filter(pk=min(pk, MAX_ID)).first()
        if found is None:
            unknown("import")
        return found

    @extend_schema(
        operation_id="batch_imports_get", tags=["outbound"], summary="See how far an import is", responses=ImportSerializer,
    )  # fmt: skip
    def get(self, request: Request, batch: int, job: int, **path: Any) -> Response:
        return Response(ImportSerializer(self.job(batch, job)).data)


class ImportCancelView(ImportView):
    http_method_names = ["post"]

    @extend_schema(
        operation_id="batch_imports_cancel", tags=["outbound"], summary="Cancel an import", request=None,
        description="Nothing of it stays.", responses={202: ImportSerializer},
    )  # fmt: skip
    def post(self, request: Request, batch: int, job: int, **path: Any) -> Response:
        return Response(
            ImportSerializer(actions.import_cancel(by=self.user, job=self.job(batch, job))).data, status=202
        )
