"""A real Chromium against a live server: signing in, sizes and themes, and axe-core."""

import os
import shutil
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import expect

# Playwright's sync API keeps an event loop in this thread; the tests' own ORM calls are not async for that.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# A busy machine is no reason to fail: how fast a page is, the benchmarks measure.
expect.set_options(timeout=20_000)

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")


def pytest_collection_modifyitems(items):
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("The browser tests need Debian's Chromium: apt-get install chromium")
    return {
        **browser_type_launch_args,
        "executable_path": path,
        "args": ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
    }


@pytest.fixture(params=["desktop", "phone"])
def size(request):
    """Both widths that every page must work at."""
    return {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}[request.param]


@pytest.fixture
def sign_in(context, live_server):
    """`sign_in(user)`: the browser is that user from now on (the sign-in form itself has a test of its own)."""

    def enter(user):
        client = Client()
        client.force_login(user, backend="portal.accounts.backends.RoleAndGrantBackend")
        context.clear_cookies()
        context.add_cookies(
            [
                {
                    "name": django_settings.SESSION_COOKIE_NAME,
                    "value": client.cookies[django_settings.SESSION_COOKIE_NAME].value,
                    "url": live_server.url,
                }
            ]
        )

    return enter


@pytest.fixture
def accessible(page):
    """`accessible()`: the page as it stands has no serious or critical finding of axe-core."""

    def check():
        page.evaluate(AXE)
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        bad = [
            f"{finding['id']} ({finding['impact']}): {finding['help']} at "
            + "; ".join(str(node["target"]) for node in finding["nodes"][:4])
            for finding in result["violations"]
            if finding["impact"] in ("serious", "critical")
        ]
        assert not bad, "\n".join(bad)

    return check


@pytest.fixture
def no_sideways_scroll(page):
    """`no_sideways_scroll()`: the page does not scroll sideways at this width."""

    def check():
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1")

    return check
