"""What every DRF view of the API is made with."""

from collections.abc import Iterable
from typing import Any, cast

from rest_framework.generics import GenericAPIView
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from portal.accounts.models import Network, User
from portal.errors import NotFound

from . import etags
from .body import check_size
from .fast import only_in_current


class AlwaysJson(BaseContentNegotiation):
    """The API speaks JSON, whatever Accept says: a browser that opens an address sees the answer too."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        kind = request.content_type.split(";", 1)[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None) -> Any:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class ApiView(GenericAPIView):
    """A view under /api/<version>/; with a network in its address `self.network` is the caller's."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    content_negotiation_class = AlwaysJson
    # Only in the current version; Network Integration versions answer 404 `not_in_version`.
    current_only = False
    # A POST that writes nothing (Simulate): read-only tokens may use it.
    reads_only = False
    network: Network

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        check_size(request._request)
        super().initial(request, *args, **kwargs)
        texts = [str(value) for value in kwargs.values()]
        texts += [text for name, values in request.query_params.lists() for text in (name, *values)]
        if any("\x00" in text for text in texts):
            raise NotFound("An address holds no character NUL.")
        if self.current_only:
            only_in_current(request.version or "")

    @property
    def user(self) -> User:
        """The caller; the permission class has let nobody else in."""
        return cast(User, self.request.user)

    @property
    def sent(self) -> dict[str, Any]:
        """The JSON object of the body; the parser lets nothing else through."""
        return cast(dict[str, Any], self.request.data)

    def answer(self, body: Any, *, state: str | None = None, status: int = 200) -> Response:
        """`body` with its ETag when `state` is given; 304 without a body when the caller of a GET knows it already."""
        if state is None:
            return Response(body, status=status)
        tag = etags.etag(state, body)
        if self.request.method in ("GET", "HEAD") and etags.unchanged(self.request._request, tag):
            return Response(status=304, headers={"ETag": tag})
        return Response(body, status=status, headers={"ETag": tag})
