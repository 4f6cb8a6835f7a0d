"""What every page's template knows."""

from functools import cache
from typing import Any

from django.http import HttpRequest
from unfold.settings import get_config
from unfold.utils import convert_color


@cache
def _colors() -> dict[str, dict[str, str]]:
    return {
        name: {weight: convert_color(value) for weight, value in weights.items()}
        for name, weights in get_config()["COLORS"].items()
    }


def portal(request: HttpRequest) -> dict[str, Any]:
    """`network` (the current one, or None), `networks` (those the user may switch to), and Unfold's look.

    The look stands here and not in `AdminSite.each_context`, which would also build the admin's list of models: every
    page has it, allauth's too.
    """
    config = get_config()
    return {
        "network": getattr(request, "network", None),
        "networks": getattr(request, "networks", []),
        "site_title": config["SITE_TITLE"],
        "styles": [style(request) for style in config["STYLES"]],
        "scripts": [script(request) for script in config["SCRIPTS"]],
        "colors": _colors(),
    }
