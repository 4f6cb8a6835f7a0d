"""The OpenAPI schema: what drf-spectacular cannot know by itself."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as SpectacularAutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER,
    description="The same key with the same body happens once; the first answer is given again for 24 hours.",
)  # fmt: skip
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag read before; 412 when somebody changed it since."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="An ETag known; 304 when nothing differs from it."
)


class ProblemSerializer(serializers.Serializer):
    """One thing that is wrong."""

    code = serializers.CharField(help_text="Stable; made for programs.")
    detail = serializers.CharField(help_text="Made for people; may be reworded.")
    field = serializers.CharField(allow_null=True, help_text="What it is about, with dots into objects and lists.")


class ErrorSerializer(serializers.Serializer):
    """Every error of the API."""

    type = serializers.ChoiceField(["validation_error", "client_error", "server_error"])
    errors = ProblemSerializer(many=True)  # type: ignore[assignment]
    request_id = serializers.CharField()
    details = serializers.DictField(required=False, help_text="Figures, the permission that is missing, …")


# Which errors an operation may answer, beside those of its own.
_ALWAYS = {
    "400": "The request cannot be read.",
    "401": "No token, or one that opens nothing.",
    "404": "No such object, or one that you may not see.",
    "429": "More requests than this token may send; see Retry-After.",
    "503": "Too much at once; try again.",
}
_WRITES = {
    "403": "You may not do this; details.permission says what is missing.",
    "409": "The present state forbids it.",
    "411": "The body has no Content-Length.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "The input breaks a rule; every problem is listed.",
}
_READS = {"422": "A parameter is wrong."}


class AutoSchema(SpectacularAutoSchema):
    """Adds to every operation the errors that it may answer, all in the one shape."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        errors = {**_ALWAYS, **(_READS if self.method in ("GET", "HEAD") else _WRITES)}
        headers = {parameter["name"] for parameter in operation.get("parameters", [])}
        if "If-Match" in headers and self.method != "GET":
            errors["412"] = "If-Match names another state."
        reference = self.resolve_serializer(ErrorSerializer, "response").ref
        for status, description in errors.items():
            operation["responses"].setdefault(
                status, {"description": description, "content": {"application/json": {"schema": reference}}}
            )
        operation["responses"] = dict(sorted(operation["responses"].items()))
        return operation


class TokenScheme(OpenApiAuthenticationExtension):
    """`Authorization: Bearer <token>`; the bare token is accepted too, but OpenAPI has no word for it."""

    target_class = "portal.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token made under API tokens."}


class SessionScheme(OpenApiAuthenticationExtension):
    """A signed-in user, as in Swagger UI; writes need the CSRF token."""

    target_class = "portal.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        from django.conf import settings

        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
