"""Cursor pages: the same cost on page one and page ten thousand."""

from typing import Any

from rest_framework.exceptions import NotFound as DrfNotFound
from rest_framework.pagination import Cursor
from rest_framework.pagination import CursorPagination as DrfCursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from portal.errors import Invalid

from .versioning import is_old

MAX_ID = 2**63 - 1


class CursorPagination(DrfCursorPagination):
    """Newest first, `page_size` up to 500: {results, next, previous} and a Link header.

    Network Integration versions answer the bare list; the Link header says where it goes on.
    """

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 500

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        self.version = request.version
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            cursor = super().decode_cursor(request)
        except DrfNotFound as error:
            raise self._invalid() from error
        if cursor is None or cursor.position is None:
            return cursor
        position = str(cursor.position)
        if not (position.isascii() and position.isdigit() and len(position) < 20 and int(position) <= MAX_ID):
            raise self._invalid()
        return cursor

    @staticmethod
    def _invalid() -> Invalid:
        return Invalid(
            "This cursor is none of ours; follow the links of the list instead.", code="invalid_cursor", field="cursor"
        )

    def get_page_size(self, request: Request) -> int:
        given = request.query_params.get(self.page_size_query_param)
        if given is None:
            return int(self.page_size or 50)
        if given.isascii() and given.isdigit() and len(given) < 5 and 1 <= int(given) <= self.max_page_size:
            return int(given)
        raise Invalid(
            f"page_size is a whole number from 1 to {self.max_page_size}.", code="out_of_range", field="page_size"
        )

    def get_paginated_response(self, data: Any) -> Response:
        after, before = self.get_next_link(), self.get_previous_link()
        links = [f'<{url}>; rel="{rel}"' for url, rel in ((after, "next"), (before, "prev")) if url]
        body = data if is_old(self.version) else {"results": data, "next": after, "previous": before}
        return Response(body, headers={"Link": ", ".join(links)} if links else {})

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor", "required": False, "in": "query", "schema": {"type": "string"},
                "description": "Where the page begins; take it from `next` or `previous`.",
            },
            {
                "name": "page_size", "required": False, "in": "query",
                "schema": {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": 50},
                "description": "Rows per page.",
            },
        ]  # fmt: skip

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }
