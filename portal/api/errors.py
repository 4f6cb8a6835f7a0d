"""One shape for every error of the API, with a stable code each; and the older one of the Network Integration versions.

Current:  {"type": "validation_error", "errors": [{"code", "detail", "field"}], "request_id": "...", "details": {...}}
Older:    {"errors": {"field": ["..."]}} with 403 for invalid input, {"errors": {"class", "invalid_data"}} for the rest
"""

import logging
from dataclasses import dataclass, field
from typing import Any

import psycopg.errors
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from portal.accounts.tokens import TokenRefused
from portal.errors import Busy, Invalid, Refused

from .versioning import is_old, version_in

logger = logging.getLogger(__name__)

Problem = dict[str, Any]
CHALLENGE = 'Bearer realm="Headroom"'


@dataclass
class Answer:
    """An error on its way out: HTTP status, its problems ({code, detail, field}), and what the surface adds."""

    status: int
    problems: list[Problem]
    details: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    unexpected: bool = False

    @property
    def kind(self) -> str:
        if self.status >= 500:
            return "server_error"
        return "validation_error" if self.status == 422 else "client_error"


class Unauthenticated(Refused):
    """No token, or one that opens nothing (401)."""

    status = 401
    code = "not_authenticated"


class Throttled(Refused):
    """More requests than the token may send (429); `details.retry_after` is in seconds."""

    status = 429
    code = "throttled"


class PreconditionFailed(Refused):
    """If-Match names another state than the present one (412)."""

    status = 412
    code = "precondition_failed"


def _one(status: int, code: str, detail: str, at: str | None = None, **more: Any) -> Answer:
    return Answer(status, [{"code": code, "detail": detail, "field": at}], **more)


def _of_refused(error: Refused) -> Answer:
    problems = error.problems if isinstance(error, Invalid) else [(error.field, error.code, error.message)]
    answer = Answer(
        error.status,
        [{"code": code, "detail": message, "field": at} for at, code, message in problems],
        details=error.details,
    )
    if isinstance(error, Unauthenticated):
        answer.headers["WWW-Authenticate"] = CHALLENGE
    if isinstance(error, Busy | Throttled):
        answer.headers["Retry-After"] = str(error.details.get("retry_after", 1))
    return answer


def _of_drf(error: exceptions.APIException) -> Answer:
    # Its module needs DRF's views, which in turn need the authentication that imports this module.
    from drf_standardized_errors.formatter import flatten_errors

    status = 422 if isinstance(error, exceptions.ValidationError) else error.status_code
    problems = [
        {
            "code": "parse_error" if isinstance(error, exceptions.ParseError) else problem.code,
            "detail": problem.detail,
            "field": None if problem.attr == "non_field_errors" else problem.attr,
        }
        for problem in flatten_errors(error.detail)
    ]
    answer = Answer(status, problems)
    if status == 401:
        answer.headers["WWW-Authenticate"] = CHALLENGE
    return answer


def _of_database(error: Exception) -> Answer:
    cause = error.__cause__
    if isinstance(error, IntegrityError):
        constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
        return _one(
            409, "conflict", "Another request changed this at the same moment, or a rule forbids it; read it again.",
            details={"constraint": constraint} if constraint else {},
        )  # fmt: skip
    if isinstance(error, DataError):
        logger.warning("a value reached the database that no column takes", exc_info=error)
        return _one(422, "invalid", "A value does not fit its field.")
    if isinstance(
        cause,
        psycopg.errors.SerializationFailure | psycopg.errors.DeadlockDetected | psycopg.errors.LockNotAvailable
        | psycopg.errors.QueryCanceled,
    ):  # fmt: skip
        return _one(503, "busy", "Too much at once on the same rows; try again.", headers={"Retry-After": "1"})
    logger.error("the database cannot be reached", exc_info=error)
    return _one(503, "unavailable", "The database cannot be reached now; try again.", headers={"Retry-After": "5"})


def describe(error: BaseException) -> Answer:
    """What the API answers to an exception; one that nobody foresaw becomes a 500 without its words."""
    if isinstance(error, Refused):
        return _of_refused(error)
    if isinstance(error, TokenRefused):
        return _of_refused(Unauthenticated(error.message, code=error.code))
    if isinstance(error, exceptions.APIException):
        return _of_drf(error)
    if isinstance(error, Http404):
        return _one(404, "not_found", "There is nothing at this address.")
    if isinstance(error, PermissionDenied):
        return _one(403, "permission_denied", "You may not do this.")
    if isinstance(error, RequestDataTooBig):
        return _one(413, "body_too_large", "The body is too large.")
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return _one(400, "bad_request", "The request cannot be read.")
    if isinstance(error, IntegrityError | DataError | OperationalError | InterfaceError):
        return _of_database(error)
    answer = _one(500, "internal_error", "Something went wrong on our side; name the request_id when you report it.")
    answer.unexpected = True
    return answer


def _class_name(code: str) -> str:
    return "RecordNotFound" if code == "not_found" else "".join(word.title() for word in code.split("_"))


def render(answer: Answer, version: str | None, request_id: str) -> tuple[int, dict[str, Any]]:
    """(status, body) of an error in the shape of `version`."""
    if not is_old(version):
        body: dict[str, Any] = {"type": answer.kind, "errors": answer.problems, "request_id": request_id}
        if answer.details:
            body["details"] = answer.details
        return answer.status, body
    first = answer.problems[0]
    if answer.status == 404:
        return 404, {"errors": {"class": "RecordNotFound", "invalid_data": first["detail"]}}
    if answer.status in (403, 409, 422):
        fields: dict[str, list[str]] = {}
        for problem in answer.problems:
            fields.setdefault(problem["field"] or "base", []).append(problem["detail"])
        return 403, {"errors": fields}
    return answer.status, {"errors": {"class": _class_name(first["code"]), "invalid_data": first["detail"]}}


def request_id_of(request: Any) -> str:
    return getattr(request, "request_id", "")


def _report(answer: Answer, error: BaseException, request: HttpRequest) -> None:
    if answer.unexpected:
        logger.error(
            "error in %s %s (request %s)", request.method, request.path, request_id_of(request), exc_info=error
        )
        got_request_exception.send(sender=None, request=request)


def respond(error: BaseException, request: HttpRequest, version: str | None = None) -> JsonResponse:
    """The answer of a plain view to an exception."""
    answer = describe(error)
    _report(answer, error, request)
    status, body = render(answer, version or version_in(request.path), request_id_of(request))
    return JsonResponse(body, status=status, headers=answer.headers)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """The answer of a DRF view to an exception (setting EXCEPTION_HANDLER)."""
    request = context["request"]._request
    answer = describe(error)
    if isinstance(error, exceptions.MethodNotAllowed):
        answer.headers["Allow"] = ", ".join(context["view"].allowed_methods)
    _report(answer, error, request)
    status, body = render(answer, version_in(request.path), request_id_of(request))
    return Response(body, status=status, headers=answer.headers)


@csrf_exempt
def unknown_address(request: HttpRequest, rest: str = "") -> JsonResponse:
    """The last address under /api/: says which versions exist, or that there is nothing here."""
    from .versioning import check_version

    try:
        check_version(version_in(request.path) or "")
        raise Http404
    except (Refused, Http404) as error:
        return respond(error, request)
