"""A flow's actions as TwiML, by the official SDK."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

# What a caller hears when a call ends and the treatment itself says nothing.
FAREWELLS = {
    "not_in_service": "The number you have called is not in service.",
    "capped": "All of our lines are busy. Please call again later.",
    "closed": "We are closed at the moment. Please call again later.",
    "no_destination": "Nobody can take your call at the moment. Please call again later.",
    "out_of_region": "Nobody can take calls from your region.",
}
EVENTS = "initiated ringing answered completed"


def twiml(actions: list[dict[str, Any]], *, address: str, caller_id: str = "") -> str:
    """The XML for these actions. address: of the account's webhooks, ending in /; caller_id: shown to the callee."""
    response = VoiceResponse()
    said = False
    for action in actions:
        match action["action"]:
            case "say":
                response.say(action["text"])
                said = True
            case "gather":
                response.append(_gather(action, address))
            case "dial":
                response.append(_dial(action, address, caller_id))
            case "record":
                response.record(
                    action=f"{address}step?do=record&turn={action['turn']}", method="POST", play_beep=True,
                    max_length=action["longest"], finish_on_key="#",
                )  # fmt: skip
            case "hangup":
                if not said and action["reason"] in FAREWELLS:
                    response.say(FAREWELLS[action["reason"]])
                response.hangup()
    return str(response)


def _gather(action: Mapping[str, Any], address: str) -> Gather:
    several = action["most"] > 1
    gather = Gather(
        input="dtmf", num_digits=action["most"], timeout=action["timeout"], finish_on_key="#" if several else "",
        action=f"{address}step?do=keys&turn={action['turn']}", method="POST", action_on_empty_result=True,
    )  # fmt: skip
    if action["text"]:
        gather.say(action["text"])
    return gather


def _dial(action: Mapping[str, Any], address: str, caller_id: str) -> Dial:
    about = f"turn={action['turn']}" + (f"&leg={action['leg']}" if action["leg"] is not None else "")
    dial = Dial(
        timeout=action["timeout"], action=f"{address}step?do=dial&{about}", method="POST", answer_on_bridge=True,
        time_limit=settings.HEADROOM_CALL_LEASE, record="record-from-answer-dual" if action["record"] else None,
        caller_id=caller_id or None,
    )  # fmt: skip
    news = f"{address}leg?{about}"
    # A comma of an extension is a pause of a second; Twilio's w is half of one.
    keys = action["extension"].replace(",", "ww") or None
    for number in action["numbers"]:
        dial.number(
            number, send_digits=keys, status_callback=news, status_callback_event=EVENTS, status_callback_method="POST"
        )
    return dial
