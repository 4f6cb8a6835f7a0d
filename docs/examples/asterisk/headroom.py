#!/usr/bin/env python3
"""AGI script: leads a call of Asterisk through its call treatment (docs/voice.md). Python's standard library alone.

AGI(headroom.py,start,NUMBER)       from the dialplan: follow the portal's actions until the call ends
AGI(headroom.py,answered,ID,TURN)   on the channel that answered a Dial
AGI(headroom.py,hangup)             from the h extension: the caller is gone

Environment of the Asterisk process: HEADROOM_FLOW, the address of flow.json; HEADROOM_TOKEN; HEADROOM_DIAL, how a number is
dialed (PJSIP/{number}@trunk if unset).
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

# No talk outlasts the portal's lease of three hours: then no heartbeat is needed.
LONGEST = 3 * 3600 - 60
ENDS = {"ANSWER": "completed", "BUSY": "busy", "NOANSWER": "no_answer", "CANCEL": "hangup"}


def tell(call, event, **more):
    """Report an event; the answer, or None where there is none. Everything may be sent again, so it is."""
    body = json.dumps({"external_id": call, "event": event, **more}).encode()
    headers = {"Content-Type": "application/json", "Authorization": os.environ["HEADROOM_TOKEN"]}
    request = urllib.request.Request(os.environ["HEADROOM_FLOW"], body, headers)  # noqa: S310 (the operator's own)
    for pause in (0.3, 1, None):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return json.load(answer) if answer.status == 200 else None
        except urllib.error.HTTPError as error:
            if pause is None or error.code < 500:
                raise
        except OSError:
            if pause is None:
                raise
        time.sleep(pause)
    return None


def run(command):
    """One AGI command; what stands after `result=`. -1 is a channel that is gone."""
    print(command, flush=True)
    return sys.stdin.readline().partition("result=")[2].strip()


def execute(application, *arguments):
    """An application of the dialplan. Quotes, backslashes and line breaks would end the argument."""
    plain = ["".join(" " if sign in '"\\\r\n' else sign for sign in str(argument)) for argument in arguments]
    return run(f'EXEC {application} "{",".join(plain)}"')


def variable(name):
    return run(f"GET VARIABLE {name}").partition("(")[2].removesuffix(")")


def say(text):
    """Read a text to the caller: Festival here; put your own speech here. A comma would begin the next argument."""
    if text:
        execute("Festival", text.replace(",", ";"))


def dial(call, do):
    """Ring the numbers at once; (what became of it, seconds of talk). The one that answers reports it: U(...)."""
    how = os.environ.get("HEADROOM_DIAL", "PJSIP/{number}@trunk")
    options = f"U(headroom-answered^{call}^{do['turn']})S({LONGEST})"
    if do["extension"]:
        options += f"D({do['extension'].replace(',', 'ww')})"
    if do["record"]:
        execute("MixMonitor", f"headroom-{call}.wav", "b")
    execute("Dial", "&".join(how.format(number=number) for number in do["numbers"]), do["timeout"], options)
    return ENDS.get(variable("DIALSTATUS"), "failed"), int(variable("ANSWEREDTIME") or 0)


def follow(call, flow):
    """Do what the portal says until it says hangup."""
    answered = False
    while flow and flow["actions"]:
        turn = flow["turn"]
        for do in flow["actions"]:
            if do["action"] in ("say", "gather", "record") and not answered:
                run("ANSWER")
                answered = True
            match do["action"]:
                case "say":
                    say(do["text"])
                case "gather":
                    say(do["text"])
                    keys = run(f"GET DATA beep {do['timeout'] * 1000} {do['most']}").partition(" ")[0]
                    if keys == "-1":
                        return
                    flow = tell(call, "digits", digits=keys, turn=turn) if keys else tell(call, "timeout", turn=turn)
                case "dial":
                    event, talked = dial(call, do)
                    flow = tell(call, event, turn=turn, talked=talked)
                case "record":
                    run(f"RECORD FILE /var/spool/asterisk/headroom-{call} wav # {do['longest'] * 1000} BEEP")
                    flow = tell(call, "recorded", turn=turn)
                case "hangup":
                    run("HANGUP")
                    return


def main():
    known = dict(line.strip("\n").split(": ", 1) for line in iter(sys.stdin.readline, "\n"))
    what, *about = sys.argv[1:]
    if what == "answered":
        call, turn = about
        tell(call, "answered", turn=int(turn))
    elif what == "hangup":
        tell(known["agi_uniqueid"], "hangup")
    else:
        call = known["agi_uniqueid"]
        follow(call, tell(call, "start", caller=known["agi_callerid"], promo_number=about[0]))


if __name__ == "__main__":
    main()
