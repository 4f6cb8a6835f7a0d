"""What every page's template knows."""

from typing import Any

from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, Any]:
    """`network` (the current one, or None) and `networks` (those the user may switch to)."""
    return {"network": getattr(request, "network", None), "networks": getattr(request, "networks", [])}
