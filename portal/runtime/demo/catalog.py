"""What the demo networks consist of. Numbers are 555-01XX of real area codes: nobody's."""

from dataclasses import dataclass, field
from typing import Any

from campaigns.hours import DAYS

HOUR = 3600
WEEKDAYS = DAYS[:5]
Hours = dict[str, int]
Region = tuple[str, str]


def hours(*spans: tuple[tuple[str, ...], float, float]) -> Hours:
    """Opening hours from (days, opens, closes) in hours of the local day; past 24 it is the next day."""
    made: Hours = {}
    for days, opens, closes in spans:
        for day in days:
            made[f"{day}_open"], made[f"{day}_closed"] = int(opens * HOUR), int(closes * HOUR)
    return made


def states(*codes: str) -> list[Region]:
    return [("State", code) for code in codes]


def zones(*names: str) -> list[Region]:
    return [("Zone", name) for name in names]


@dataclass(frozen=True)
class DemoCap:
    """A budget or periodic call cap of a destination."""

    kind: str
    amount: int
    period: str


@dataclass(frozen=True)
class DemoPolicy:
    """A policy beside the unconditional Base: "Base" or "Bonus", on the side of "payin" or "payout"."""

    side: str
    type: str
    amount: str
    condition: str


def by_length(payin: tuple[str, str], payout: tuple[str, str], short: int, long: str) -> tuple[DemoPolicy, ...]:
    """(amount of a call shorter than `short` seconds, bonus of one of at least `long`) for each side."""
    return tuple(
        policy
        for side, (little, more) in (("payin", payin), ("payout", payout))
        for policy in (
            DemoPolicy(side, "Base", little, f"connect_duration < {short}"),
            DemoPolicy(side, "Bonus", more, f"connect_duration >= {long}"),
        )
    )


@dataclass(frozen=True)
class Destination:
    """A campaign that takes calls. `hours` None = around the clock, `regions` empty = everywhere, `cap` None = none."""

    id: str
    advertiser: str
    name: str
    zone: str
    number: str
    payin: int
    payout: int
    cap: int | None
    hours: Hours | None = None
    regions: list[Region] = field(default_factory=list)
    caps: tuple[DemoCap, ...] = ()
    policies: tuple[DemoPolicy, ...] = ()
    kind: str = "DirectOnly"
    moves: tuple[str, ...] = ("go_live",)


@dataclass(frozen=True)
class DemoBundle:
    """A bundle: destinations as (id, priority, weight), its promo number, and its share of the network's calls."""

    id: str
    advertiser: str
    name: str
    distribution: str
    number: str
    media: str
    share: int
    destinations: list[tuple[str, int, int]]
    overflow: str | None = None
    repeat_caller: bool = False


@dataclass(frozen=True)
class DemoNetwork:
    """A network with everything in it; `calls_per_day` is the size of its past."""

    name: str
    settings: dict[str, Any]
    advertisers: dict[str, str]
    destinations: list[Destination]
    bundles: list[DemoBundle]
    numbers: list[tuple[str, str, str]]
    calls_per_day: int


EASTERN, CENTRAL, MOUNTAIN, PACIFIC = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
ARIZONA, MANILA, TORONTO = "America/Phoenix", "Asia/Manila", "America/Toronto"
# A call center in Manila that works while America sleeps.
MANILA_DAY = hours((DAYS, 9, 23))

BLUE_MESA = DemoNetwork(
    name="Blue Mesa Media",
    settings={"time_zone": MOUNTAIN, "country": "US", "currency": "USD", "call_fee_per_minute": "0.04"},
    advertisers={
        "summit": "Summit Comfort Heating & Air",
        "clearflow": "ClearFlow Plumbing",
        "ironwood": "Ironwood Roofing",
        "lakeshore": "Lakeshore Insurance Group",
        "medibridge": "MediBridge Health Plans",
        "harlan": "Harlan & Pike Injury Law",
        "brightfield": "Brightfield Solar",
        "anchor": "Anchor Debt Relief",
        "bluemesa": "Blue Mesa (own desks)",
    },
    destinations=[
        Destination("hvac-phoenix", "summit", "Summit HVAC Phoenix", ARIZONA, "+16025550131", 48, 36, 4,
                    hours((DAYS[:6], 7, 19)), states("AZ")),
        Destination("hvac-denver", "summit", "Summit HVAC Denver", MOUNTAIN, "+13035550132", 48, 36, 3,
                    hours((WEEKDAYS, 8, 18), (("saturday",), 9, 14)), states("CO", "UT", "WY"),
                    policies=by_length(("15", "10"), ("12", "7.50"), 30, "4 min")),
        Destination("hvac-dallas", "summit", "Summit HVAC Dallas-Fort Worth", CENTRAL, "+12145550133", 52, 40, 5,
                    hours((DAYS, 7, 21)), [("Prefix", "214, 469, 972, 817, 682, 940"), ("City", "Dallas, TX")],
                    (DemoCap("periodic_calls", 250, "Daily"),)),
        Destination("hvac-night", "summit", "Summit HVAC Night Desk", ARIZONA, "+16025550134", 55, 42, 3,
                    hours((DAYS, 19, 31)), zones("Mountain", "Central", "Pacific")),
        Destination("plumbing-la", "clearflow", "ClearFlow Los Angeles", PACIFIC, "+12135550135", 60, 45, 6,
                    hours((DAYS, 7, 22)), states("CA"), (DemoCap("budget", 6000, "Daily"),)),
        Destination("plumbing-seattle", "clearflow", "ClearFlow Seattle", PACIFIC, "+12065550136", 58, 44, 3,
                    hours((WEEKDAYS, 8, 17)), [("City", "Seattle, WA"), ("Prefix", "206, 425, 253")]),
        Destination("plumbing-24-7", "clearflow", "ClearFlow Emergency 24/7", CENTRAL, "+13125550137", 75, 58, 4),
        Destination("roofing-florida", "ironwood", "Ironwood Roofing Florida", EASTERN, "+13055550138", 80, 62, 4,
                    hours((WEEKDAYS, 8, 18), (("saturday",), 9, 13)), states("FL", "GA")),
        Destination("roofing-texas", "ironwood", "Ironwood Roofing Texas", CENTRAL, "+15125550139", 80, 62, 5,
                    hours((WEEKDAYS, 7.5, 18.5)), states("TX", "OK", "LA"), (DemoCap("budget", 40000, "Weekly"),)),
        Destination("roofing-saturday", "ironwood", "Ironwood Saturday Crew", CENTRAL, "+15125550140", 70, 55, 2,
                    hours((("saturday",), 8, 16))),
        Destination("auto-east", "lakeshore", "Lakeshore Auto East", EASTERN, "+12165550141", 34, 26, 12,
                    hours((WEEKDAYS, 8, 20), (("saturday",), 9, 17)), zones("Eastern"),
                    policies=by_length(("9", "8"), ("6.50", "6"), 30, "5 min")),
        Destination("auto-central", "lakeshore", "Lakeshore Auto Central", CENTRAL, "+13125550142", 34, 26, 10,
                    hours((WEEKDAYS, 8, 20), (("saturday",), 9, 17)), zones("Central")),
        Destination("auto-west", "lakeshore", "Lakeshore Auto West", PACIFIC, "+15035550143", 36, 27, 8,
                    hours((WEEKDAYS, 7, 20), (DAYS[5:], 9, 17)), zones("Pacific", "Mountain", "Alaska", "Hawaii"),
                    kind="AffiliateEnabled"),
        Destination("home-insurance", "lakeshore", "Lakeshore Home", EASTERN, "+12165550144", 40, 30, 6,
                    hours((WEEKDAYS, 9, 18)), [("Country", "US")], (DemoCap("budget", 60000, "Monthly"),)),
        Destination("auto-manila", "lakeshore", "Lakeshore Late Desk (Manila)", MANILA, "+12165550145", 30, 22, 7, MANILA_DAY),
        Destination("lakeshore-callback", "lakeshore", "Lakeshore Call-back Line", EASTERN, "+12165550146", 10, 4, None),
        Destination("medicare-enroll", "medibridge", "MediBridge Medicare Enrollment", EASTERN, "+16155550147", 55, 42, 20,
                    hours((WEEKDAYS, 8, 21), (DAYS[5:], 10, 18)), [("Country", "US")], kind="AffiliateEnabled",
                    policies=by_length(("0", "20"), ("0", "14.25"), 45, "8 min")),
        Destination("medicare-weekend", "medibridge", "MediBridge Weekend Team", CENTRAL, "+16155550148", 50, 38, 8,
                    hours((DAYS[5:], 9, 19)), [], (DemoCap("periodic_calls", 400, "Daily"),)),
        Destination("marketplace", "medibridge", "MediBridge Marketplace Plans", EASTERN, "+16155550149", 45, 34, 5,
                    hours((WEEKDAYS, 9, 24)), states("TX", "FL", "GA", "NC", "SC", "TN", "AL", "MS", "LA", "MO"),
                    (DemoCap("periodic_calls", 1500, "Weekly"),)),
        Destination("medicare-manila", "medibridge", "MediBridge After Hours (Manila)", MANILA, "+16155550150", 42, 32, 6,
                    MANILA_DAY, [("Country", "US")]),
        Destination("injury-new-york", "harlan", "Harlan & Pike New York", EASTERN, "+12125550151", 320, 250, 3,
                    None, states("NY", "NJ", "CT", "PA"), (DemoCap("budget", 30000, "Daily"),)),
        Destination("injury-chicago", "harlan", "Harlan & Pike Chicago", CENTRAL, "+13125550152", 290, 225, 2,
                    None, states("IL", "IN", "WI", "MI", "OH", "MO"),
                    policies=by_length(("60", "90"), ("45", "75"), 60, "10 min")),
        Destination("injury-west", "harlan", "Harlan & Pike West", PACIFIC, "+14155550153", 300, 230, 4,
                    None, states("CA", "NV", "AZ", "OR", "WA"), moves=("go_live", "pause")),
        Destination("injury-intake", "harlan", "Harlan & Pike National Intake", EASTERN, "+12125550154", 180, 140, 4),
        Destination("partner-legal", "bluemesa", "Partner Network: Legal", EASTERN, "+19175550155", 60, 20, None,
                    kind="ExternalOnly"),
        Destination("solar-california", "brightfield", "Brightfield California", PACIFIC, "+19165550156", 95, 70, 4,
                    hours((DAYS[:6], 9, 20)), states("CA")),
        Destination("solar-southwest", "brightfield", "Brightfield Southwest", ARIZONA, "+16025550157", 90, 66, 3,
                    hours((DAYS[:6], 8, 19)), states("AZ", "NV", "NM", "UT", "CO"), (DemoCap("periodic_calls", 900, "Weekly"),)),
        Destination("solar-florida", "brightfield", "Brightfield Florida (contract ended)", EASTERN, "+14075550158", 85, 60, 0,
                    hours((WEEKDAYS, 9, 18)), states("FL")),
        Destination("solar-evening", "brightfield", "Brightfield Evening Team", PACIFIC, "+19165550159", 80, 58, 3,
                    hours((DAYS, 17, 33)), policies=(
                        DemoPolicy("payin", "Bonus", "15", "during_hours and connect_duration >= 3 min"),
                        DemoPolicy("payout", "Bonus", "10", "during_hours and connect_duration >= 3 min"))),
        Destination("debt-us", "anchor", "Anchor Debt Relief US", EASTERN, "+13025550160", 38, 28, 9,
                    hours((WEEKDAYS, 8, 22), (("saturday",), 10, 18)), [("Country", "US")]),
        Destination("debt-canada", "anchor", "Anchor Debt Relief Canada", TORONTO, "+14165550161", 36, 27, 5,
                    hours((WEEKDAYS, 9, 21)), [("Country", "CA")]),
        Destination("debt-24-7", "anchor", "Anchor Debt Hotline 24/7", CENTRAL, "+13125550162", 30, 22, 4),
        Destination("debt-2024", "anchor", "Anchor Debt Relief 2024", EASTERN, "+13025550163", 25, 18, 5,
                    moves=("go_live", "archive")),
        Destination("desk", "bluemesa", "Blue Mesa Answering Desk", MOUNTAIN, "+13035550164", 0, 0, None),
    ],
    bundles=[
        DemoBundle("home-services", "bluemesa", "Home Services", "Weighted", "+18055550110", "Online: Search", 30,
                   [("hvac-phoenix", 1, 30), ("hvac-denver", 1, 25), ("hvac-dallas", 1, 35), ("plumbing-la", 1, 40),
                    ("plumbing-seattle", 1, 20), ("roofing-florida", 1, 30), ("roofing-texas", 1, 30),
                    ("roofing-saturday", 1, 10), ("hvac-night", 2, 20), ("plumbing-24-7", 2, 40)], "desk"),
        DemoBundle("insurance", "bluemesa", "Auto & Home Insurance", "MostFree", "+16145550111", "Offline: TV", 28,
                   [("auto-east", 1, 1), ("auto-central", 1, 1), ("auto-west", 1, 1), ("home-insurance", 2, 1),
                    ("auto-manila", 2, 1)], "lakeshore-callback", repeat_caller=True),
        DemoBundle("health", "bluemesa", "Medicare & Health Plans", "InOrder", "+16155550112", "Offline: Direct Mail", 18,
                   [("medicare-enroll", 1, 1), ("medicare-weekend", 1, 1), ("marketplace", 1, 1), ("medicare-manila", 2, 1)],
                   "desk"),
        DemoBundle("injury-law", "bluemesa", "Injury Law", "Weighted", "+12125550113", "Offline: Billboard", 8,
                   [("injury-new-york", 1, 60), ("injury-chicago", 1, 40), ("injury-west", 1, 40), ("injury-intake", 2, 10)],
                   "partner-legal"),
        DemoBundle("solar", "bluemesa", "Solar Quotes", "MostFree", "+14805550114", "Online: Display", 8,
                   [("solar-california", 1, 1), ("solar-southwest", 1, 1), ("solar-florida", 1, 1), ("solar-evening", 2, 1)]),
        DemoBundle("debt", "bluemesa", "Debt Relief", "InOrder", "+13025550115", "Offline: Radio", 12,
                   [("debt-us", 1, 1), ("debt-canada", 1, 1), ("debt-24-7", 2, 1), ("debt-2024", 3, 1)], "desk"),
    ],
    numbers=[
        ("+12065550116", "plumbing-seattle", "Seattle bus shelters"),
        ("+13055550117", "roofing-florida", "Storm season mailer, Miami"),
        ("+12125550118", "injury-new-york", "Subway cards, Queens"),
        ("+15035550119", "auto-west", "Oregon affiliates"),
    ],
    calls_per_day=8000,
)  # fmt: skip

COPPER_CREEK = DemoNetwork(
    name="Copper Creek Leads",
    settings={"time_zone": CENTRAL, "country": "US", "currency": "USD"},
    advertisers={"prairie": "Prairie Pest Control", "copper": "Copper Creek (own desk)"},
    destinations=[
        Destination("pest-omaha", "prairie", "Prairie Pest Omaha", CENTRAL, "+14025550171", 30, 22, 3,
                    hours((DAYS[:6], 7, 19)), zones("Central", "Mountain", "Pacific")),
        Destination("pest-kansas", "prairie", "Prairie Pest Kansas City", CENTRAL, "+18165550172", 30, 22, 2,
                    hours((DAYS, 6, 22)), zones("Central", "Eastern")),
        Destination("pest-desk", "copper", "Copper Creek Desk", CENTRAL, "+14025550173", 0, 0, None),
    ],
    bundles=[
        DemoBundle("pest-control", "copper", "Pest Control", "Weighted", "+14025550120", "Online: Search", 1,
                   [("pest-omaha", 1, 50), ("pest-kansas", 1, 50)], "pest-desk"),
    ],
    numbers=[],
    calls_per_day=300,
)  # fmt: skip
