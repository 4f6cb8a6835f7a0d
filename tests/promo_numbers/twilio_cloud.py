"""As much of Twilio's REST as buying numbers needs, over real HTTP. It counts for itself, and can fail in every way."""

import base64
import threading
from collections import Counter
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.servers import Handler, Server

ACCOUNT, TOKEN = "AC0123456789abcdef0123456789abcdef", "a-token-that-nobody-may-see"
BASE = f"/2010-04-01/Accounts/{ACCOUNT}"


class _Api(Handler):
    def _error(self, status, code):
        self.answer_json(status, {"status": status, "code": code, "message": "no", "more_info": ""})

    def _begin(self, method, given):
        """Note the request; False (answered 401) without the account's own credentials."""
        path = urlsplit(self.path).path
        with self.owner.lock:
            self.owner.requests.append((method, path, given))
        expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != expected or not path.startswith(BASE + "/"):
            self._error(401, 20003)
            return None
        return path.removeprefix(BASE)

    def _silence(self):
        self.owner.let_go.wait(30)
        self.close_connection = True

    def do_GET(self):
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        path = self._begin("GET", query)
        if path is None:
            return
        if self.owner.list_fails > 0:
            self.owner.list_fails -= 1
            self._error(503, 20503)
        elif path.startswith("/AvailablePhoneNumbers/"):
            self._offers(path, query)
        elif path == "/IncomingPhoneNumbers.json":
            self._held(query)
        else:
            self._error(404, 20404)

    def _offers(self, path, query):
        if not path.endswith("/US/Local.json"):
            self._error(404, 20404)
            return
        with self.owner.lock:
            rows = [
                {"phone_number": number, "locality": place[0], "region": place[1], "iso_country": "US"}
                for number, place in self.owner.offers.items()
                if number.startswith("+1" + query.get("AreaCode", ""))
                and query.get("InLocality", place[0]).lower() == place[0].lower()
                and query.get("InRegion", place[1]) == place[1]
                and (number.startswith(query["Contains"]) if query.get("Contains", "").startswith("+")
                     else query.get("Contains", "") in number)
            ]  # fmt: skip
        self.answer_json(200, {"available_phone_numbers": rows[: int(query.get("PageSize", 50))], "uri": self.path})

    def _held(self, query):
        """A list in pages; every page repeats the last row of the one before it."""
        with self.owner.lock:
            rows = [row for row in self.owner.account.values()
                    if query.get("FriendlyName", row["friendly_name"]) == row["friendly_name"]]  # fmt: skip
        size, page = self.owner.page_size or int(query.get("PageSize", 50)), int(query.get("Page", 0))
        part = rows[max(0, page * size - 1) : (page + 1) * size]
        more = len(rows) > (page + 1) * size
        after = f"{BASE}/IncomingPhoneNumbers.json?" + urlencode({**query, "Page": page + 1}) if more else None
        self.answer_json(200, {"incoming_phone_numbers": part, "page": page, "page_size": size, "next_page_uri": after})

    def do_POST(self):
        form = parse_qs(self.body().decode())
        form = {name: values[0] for name, values in form.items()}
        path = self._begin("POST", form)
        if path is None:
            return
        if path == "/IncomingPhoneNumbers.json":
            self._buy(form)
            return
        row = self.owner.account.get(path.removeprefix("/IncomingPhoneNumbers/").removesuffix(".json"))
        if row is None:
            self._error(404, 20404)
            return
        row["voice_url"] = form.get("VoiceUrl", row["voice_url"])
        self.answer_json(200, row)

    def _buy(self, form):
        with self.owner.lock:
            how = self.owner.plan.pop(0) if self.owner.plan else "sell"
        if how == "lost_before":
            self._silence()
        elif how == "500_before":
            self._error(500, 20500)
        elif how in ("429", "400", "401"):
            self._error(int(how), {"429": 20429, "400": 21401, "401": 20003}[how])
        elif how == "taken":
            self._error(400, 21422)
        else:
            row = self.owner.sell(form)
            if row is None:
                self._error(400, 21422)
            elif how in ("lost_after", "hold_after"):
                self._silence()
            elif how == "cut_after":
                self.connection.close()
                self.close_connection = True
            elif how == "garbled_after":
                self.send_response(201)
                self.send_header("Content-Length", "9")
                self.end_headers()
                self.wfile.write(b"<html>oh!")
            elif how == "500_after":
                self._error(500, 20500)
            else:
                self.answer_json(201, row)

    def do_DELETE(self):
        path = self._begin("DELETE", {})
        if path is None:
            return
        with self.owner.lock:
            row = self.owner.account.pop(path.removeprefix("/IncomingPhoneNumbers/").removesuffix(".json"), None)
        self._error(404, 20404) if row is None else self.answer(204)


class Cloud(Server):
    """`offers`: {number: (locality, region)}; `account`: {sid: number's fields}; `purchases`: what was sold, in order.

    `plan`: how the next purchases go, one word each, then "sell": lost_before (no answer, nothing sold), lost_after (sold, no
    answer), cut_after (sold, connection cut), garbled_after (sold, an answer that cannot be read), 500_before, 500_after,
    429, 400, 401, taken, hold_after (sold, the answer waits for `let_go`).
    """

    handler = _Api

    def __init__(self):
        self.offers, self.account, self.purchases, self.requests = {}, {}, [], []
        self.plan, self.list_fails, self.page_size = [], 0, None
        self.lock, self.let_go, self.sold = threading.Lock(), threading.Event(), threading.Event()
        super().__init__()

    def close(self):
        self.let_go.set()
        super().close()

    def stock(self, count, area_code="805", locality="Santa Barbara", region="CA", start=0):
        for index in range(count):
            self.offers[f"+1{area_code}555{start + index:04d}"] = (locality, region)

    def sell(self, form):
        """The fields of a number just sold, or None when it is gone."""
        with self.lock:
            number = form["PhoneNumber"]
            if number not in self.offers:
                return None
            del self.offers[number]
            row = {
                "sid": f"PN{len(self.purchases):032d}", "account_sid": ACCOUNT, "phone_number": number,
                "friendly_name": form.get("FriendlyName", number), "voice_url": form.get("VoiceUrl", ""),
            }  # fmt: skip
            self.account[row["sid"]] = row
            self.purchases.append((number, row["friendly_name"]))
            self.sold.set()
            return row

    def per_order(self):
        """How many numbers were sold for each order."""
        return Counter(name for _number, name in self.purchases)

    def of(self, method, part):
        """The forms or queries of the requests of a kind."""
        return [given for verb, path, given in self.requests if verb == method and part in path]
