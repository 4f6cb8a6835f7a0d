"""What the audit trail knows of the request that is being served, carried in context variables."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("headroom_request_id", default="")
token_id: ContextVar[int | None] = ContextVar("headroom_token_id", default=None)
