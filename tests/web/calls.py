"""What the tests of the pages about calls share."""

from html import unescape

from django.test import Client
from django.urls import reverse

from campaigns import actions
from campaigns.models import Call

CALLER = "+13035550123"
PROMO = "+18055550199"


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def text_of(response):
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return unescape(content.decode())


def place(bundle, caller=CALLER, **kwargs):
    called = {} if "promo_number" in kwargs else {"campaign": bundle.pk}
    return actions.call_route(by=None, network=bundle.network, caller=caller, **called, **kwargs)


def tell(bundle, routed, *events):
    for event in events:
        actions.call_event(by=None, network=bundle.network, call=routed.call_id, event=event, detail="Q.850;cause=16")


def call_at(routed):
    return reverse("calls:detail", args=[Call(pk=routed.call_id).transaction_id])


def listed(user, **query):
    """Transaction ids of the list with a filter."""
    response = client_of(user).get(reverse("calls:list"), query)
    assert response.status_code == 200
    page = response.context["page"]
    assert page is not None, response.context["form"].errors
    return [row.call.pk for row in page]
