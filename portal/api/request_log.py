"""The log's line for a request that was refused or failed, without the secrets that may stand in its address."""

import re
from urllib.parse import unquote

from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware

# Parameters whose value opens something: tokens of Network Integration clients, and what web pages and mails carry.
SECRET = {"oauth_token", "token", "key", "ring_pool_key", "secret", "password", "code", "state"}
_PARAMETER = re.compile(r"([^=&;?]+)=([^&;]*)")


def shown(address: str) -> str:
    """A path with its query as the log shows it: values of `SECRET` parameters are left out."""
    path, mark, query = address.partition("?")

    def masked(match: re.Match[str]) -> str:
        return f"{match[1]}=…" if unquote(match[1]).strip().lower() in SECRET else match[0]

    return f"{path}{mark}{_PARAMETER.sub(masked, query)}"


class RequestLogMiddleware(RequestMiddleware):
    """The library's own, with `shown` addresses."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {shown(request.get_full_path())}"
