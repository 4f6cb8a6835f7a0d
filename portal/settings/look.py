"""Unfold: name, colours, sidebar. The navigation itself is composed in `portal.navigation`."""

from django.templatetags.static import static

UNFOLD = {
    "SITE_TITLE": "Headroom",
    "SITE_HEADER": "Headroom",
    "SITE_SUBHEADER": "Capacity of phone campaigns",
    "SITE_URL": "/",
    "SITE_SYMBOL": "speed",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: static("portal/portal.css")],
    "SCRIPTS": [lambda request: static("portal/portal.js")],
    "COLORS": {
        "primary": {
            "50": "oklch(97.7% .013 236.62)",
            "100": "oklch(95.1% .026 236.824)",
            "200": "oklch(90.1% .058 230.902)",
            "300": "oklch(82.8% .111 230.318)",
            "400": "oklch(74.6% .16 232.661)",
            "500": "oklch(60% .15 237.323)",
            "600": "oklch(52% .14 241.966)",
            "700": "oklch(45% .12 242.749)",
            "800": "oklch(39.1% .09 240.876)",
            "900": "oklch(34% .075 241)",
            "950": "oklch(25% .06 243.157)",
        }
    },
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "portal.navigation.sidebar"},
}
