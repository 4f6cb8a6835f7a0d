"""What an action may refuse, in words that every surface can show.

Pages turn these into form errors and messages, the API into its one error shape, commands into one sentence.
Each names a stable `code`, the `field` at fault where there is one, and in its message the figure and the way out.
"""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """An action said no and wrote nothing. Subclasses say what kind of no; `status` is the HTTP status of our own API."""

    status = 400
    code = "refused"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        details: Mapping[str, Any] | None = None,
    ):
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.field = field
        self.details = dict(details or {})


class Invalid(Refused):
    """The input breaks a rule. Holds one or more problems: `problems` is a list of (field, code, message)."""

    status = 422
    code = "invalid"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        details: Mapping[str, Any] | None = None,
    ):
        super().__init__(message, code=code, field=field, details=details)
        self.problems: list[tuple[str | None, str, str]] = [(field, self.code, message)]

    @classmethod
    def of(cls, problems: list[tuple[str | None, str, str]]) -> "Invalid":
        """One error that carries every problem of the input, so that a user mends them in one go."""
        field, code, message = problems[0]
        error = cls(message, code=code, field=field)
        error.problems = list(problems)
        return error


class NotAllowed(Refused):
    """The user sees the object but lacks the right; `permission` names it (403)."""

    status = 403
    code = "permission_denied"

    def __init__(self, message: str, *, permission: str, details: Mapping[str, Any] | None = None):
        super().__init__(message, details={"permission": permission, **(details or {})})
        self.permission = permission


class NotFound(Refused):
    """No such object, or one that this user may not see (404): the two are not told apart."""

    status = 404
    code = "not_found"


class Conflict(Refused):
    """The state forbids it now: a limit reached, a finished call, a lost race (409)."""

    status = 409
    code = "conflict"


class Busy(Refused):
    """Nothing is wrong but the load; try again shortly (503 with Retry-After)."""

    status = 503
    code = "busy"
