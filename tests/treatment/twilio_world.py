"""A network with a bundle and a Twilio account, and Twilio's REST API as a small server: fixtures of the tests of its webhooks."""

from urllib.parse import parse_qs, urlparse

import pytest

from campaigns import actions
from campaigns.models import CallLeg, DestinationState
from tests.factories import AdvertiserFactory, PromoNumberFactory, bundle_of, destinations
from tests.servers import Handler, Server

from .setting import in_force
from .twilio_phone import SID, TOKEN, Call, Twilio


@pytest.fixture
def world(live_server, network, settings, nothing_remembered):
    """A bundle of two destinations of one slot each, its promo number, and the network's Twilio account."""
    settings.PORTAL_URL = ""
    first, second = _destinations(network)
    bundle = bundle_of(first, second)
    number = PromoNumberFactory(campaign=bundle)
    actions.voice_account_set(by=None, network=network, account_sid=SID, secret=TOKEN)
    return World(bundle, first, second, number.number, Twilio(live_server.url, network))


def _destinations(network):
    made = destinations(2, 1, advertiser=AdvertiserFactory(network=network))
    for index, campaign in enumerate(made):
        campaign.destination_phone_number = f"+1303555010{index + 1}"
        campaign.save()
    return made


class World:
    def __init__(self, bundle, first, second, number, twilio):
        self.bundle, self.first, self.second, self.number, self.twilio = bundle, first, second, number, twilio

    def call(self, **values):
        return Call(self.twilio, self.number, **values)

    def put(self, root, **values):
        in_force(self.bundle, {"root": root, **values})

    @property
    def live(self):
        return [DestinationState.objects.get(pk=campaign.pk).live for campaign in (self.first, self.second)]


def legs():
    return list(CallLeg.objects.order_by("id").values_list("end_reason", flat=True))


class _Api(Handler):
    def do_GET(self):
        status = parse_qs(urlparse(self.path).query).get("Status", [""])[0]
        calls = [{"sid": sid, "status": status} for sid in self.owner.alive] if status == "in-progress" else []
        self.owner.asked.append(self.path)
        self.answer_json(200, {"calls": calls, "next_page_uri": None, "page": 0, "page_size": 1000})

    def do_POST(self):
        form = parse_qs(self.body().decode())
        self.owner.sent.append({name: values[0] for name, values in form.items()})
        self.answer_json(201, {"sid": "SM1", "status": "queued"})


class TwilioApi(Server):
    """Twilio's REST API: `alive`, its calls in progress; `asked`, the lists; `sent`, the messages."""

    handler = _Api

    def __init__(self):
        self.alive, self.asked, self.sent = [], [], []
        super().__init__()


@pytest.fixture
def twilio_api(settings):
    made = TwilioApi()
    settings.TWILIO_API_URL = made.url
    yield made
    made.close()
