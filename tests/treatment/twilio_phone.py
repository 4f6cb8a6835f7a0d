"""Twilio, as far as the portal sees it: real HTTP, signed by the official SDK, TwiML read back and followed."""

import random
import xml.etree.ElementTree as ElementTree
from itertools import count
from urllib.parse import parse_qs, urlparse

import httpx
from twilio.request_validator import RequestValidator

SID, TOKEN = "AC0123456789abcdef", "a-secret-auth-token"
_serial = count(1)


class Twilio:
    """An account's webhooks on a live server. `post` signs; `twist` decides what becomes of a webhook on its way."""

    def __init__(self, base, network, token=TOKEN, sid=SID):
        self.folder = f"{base}/api/2026-11-01/{network.pk}/voice/twilio/"
        self.sid, self.validator, self.http = sid, RequestValidator(token), httpx.Client(timeout=60)

    def post(self, address, **params):
        address = address if address.startswith("http") else self.folder + address
        params = {"AccountSid": self.sid, **params}
        signature = self.validator.compute_signature(address, params)
        return self.http.post(address, data=params, headers={"X-Twilio-Signature": signature})


class Call:
    """One phone call. The verbs of its last TwiML are in `verbs`."""

    def __init__(self, twilio, to, caller="+13035550123", sid=None):
        self.twilio, self.to, self.caller = twilio, to, caller
        self.sid = sid or f"CA{next(_serial):032x}"
        self.verbs = []

    def _post(self, address, **params):
        return self.twilio.post(address, **{"CallSid": self.sid, "From": self.caller, "To": self.to, **params})

    def _read(self, response):
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("text/xml")
        self.verbs = list(ElementTree.fromstring(response.text))
        return self.verbs

    @property
    def tags(self):
        return [verb.tag for verb in self.verbs]

    def verb(self, tag):
        return next(verb for verb in self.verbs if verb.tag == tag)

    @property
    def numbers(self):
        return [number.text for number in self.verb("Dial")]

    def begin(self):
        return self._read(self._post("incoming", CallStatus="ringing"))

    def press(self, keys):
        params = {"Digits": keys} if keys else {}
        return self._read(self._post(self.verb("Gather").get("action"), CallStatus="in-progress", **params))

    def leg(self, status, dial=None, **params):
        """News of the (first) number that is rung."""
        number = (dial if dial is not None else self.verb("Dial"))[0]
        child = {
            "CallSid": f"{self.sid}-child",
            "ParentCallSid": self.sid,
            "CallStatus": status,
            "Direction": "outbound-dial",
        }
        response = self.twilio.post(number.get("statusCallback"), **child, **params)
        assert response.status_code == 204, response.text

    def dialed(self, status, dial=None, caller_gone=False, **params):
        """The end of a dial, as the action of <Dial> tells it."""
        address = (dial if dial is not None else self.verb("Dial")).get("action")
        call_status = "completed" if caller_gone else "in-progress"
        return self._read(self._post(address, CallStatus=call_status, DialCallStatus=status, **params))

    def over(self, status="completed"):
        response = self._post("status", CallStatus=status)
        assert response.status_code == 204, response.text


def query(address):
    return {name: values[0] for name, values in parse_qs(urlparse(address).query).items()}


class Chaos:
    """Webhooks on a bad day: some are lost, some come twice, some late."""

    def __init__(self, seed):
        self.dice, self.late = random.Random(seed), []

    def send(self, webhook, lose=0.15, twice=0.2, delay=0.2):
        if self.dice.random() < lose:
            return
        if self.dice.random() < delay:
            self.late.append(webhook)
            return
        webhook()
        if self.dice.random() < twice:
            webhook()
        if self.late and self.dice.random() < 0.5:
            self.late.pop(self.dice.randrange(len(self.late)))()

    def settle(self):
        """What was late arrives in the end, in any order."""
        self.dice.shuffle(self.late)
        while self.late:
            self.late.pop()()
