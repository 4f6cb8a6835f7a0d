"""The REST API: one error shape, dated versions, OpenAPI."""

from .env import env

# How long a verified token is kept in the process. A revoked token lives that long at most (docs/permissions.md).
API_TOKEN_CACHE_SECONDS = env.float("API_TOKEN_CACHE_SECONDS", 5.0)
# How long the hot endpoints remember what no call changes: networks, bundles' own ids, destinations' numbers.
API_ROUTING_CACHE_SECONDS = env.float("API_ROUTING_CACHE_SECONDS", 2.0)
# Requests per token: count/s, /min, /h or /d; 0/min switches the limit off.
API_RATE_LIMIT = env.str("API_RATE_LIMIT", "600/min")
# Calls and their events are the traffic itself: limited apart and far higher.
API_CALL_RATE_LIMIT = env.str("API_CALL_RATE_LIMIT", "120000/min")
# Web pages ask for their visitors' numbers: so much for one RingPool, and so much from one network address (an office, a
# mobile carrier's gateway).
API_POOL_RATE_LIMIT = env.str("API_POOL_RATE_LIMIT", "120000/min")
API_VISITOR_RATE_LIMIT = env.str("API_VISITOR_RATE_LIMIT", "1200/min")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.api.authentication.TokenAuthentication",
        "portal.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["portal.api.permissions.NetworkAccess"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.body.JsonParser"],
    "DEFAULT_PAGINATION_CLASS": "portal.api.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_THROTTLE_CLASSES": ["portal.api.throttling.TokenThrottle"],
    "DEFAULT_SCHEMA_CLASS": "portal.api.schema.AutoSchema",
    "DEFAULT_VERSIONING_CLASS": "portal.api.versioning.DateVersioning",
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "portal.api.errors.exception_handler",
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Headroom",
    "DESCRIPTION": "Capacity of phone campaigns: calls, numbers, outbound.",
    "VERSION": "2026-11-01",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "EndReasonEnum": "campaigns.choices.EndReason",
        "VoiceKindEnum": "campaigns.choices.VoiceKind",
        "RequestStateEnum": "promo_numbers.choices.RequestState",
        "NumberStateEnum": "promo_numbers.choices.NumberState",
        "OrderStateEnum": "promo_numbers.choices.OrderState",
        "ReclaimStateEnum": "promo_numbers.choices.ReclaimState",
    },
}
