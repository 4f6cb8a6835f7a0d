"""Terms of the money test, each with what it comes to, computed by hand."""

from decimal import Decimal
from zoneinfo import ZoneInfo

from .ledger import Terms

ZERO = Decimal(0)


def policy(kind, amount, condition=""):
    return {"type": kind, "amount": amount, "condition": condition}


def flat(payout, payin):
    out, into = Decimal(payout), Decimal(payin)
    return Terms(
        {"payout_policies": [policy("Base", payout)], "payin_policies": [policy("Base", payin)]},
        lambda seconds, at: out, lambda seconds, at: into, out, out,
    )  # fmt: skip


LONG = Terms(
    {
        "payout_policies": [
            policy("Base", "2.5001", "connect_duration < 30"),
            policy("Base", "17.0101"),
            policy("Bonus", "4.9999", "connect_duration >= 1 min 30 sec"),
            policy("Bonus", "0.0003", "not connect_duration < 600"),
        ],
        "payin_policies": [policy("Base", "21"), policy("Bonus", "0.3333", "connect_duration >= 90 and connect_duration < 600")],
    },
    lambda s, at: (Decimal("2.5001") if s < 30 else Decimal("17.0101"))
    + (Decimal("4.9999") if s >= 90 else ZERO)
    + (Decimal("0.0003") if s >= 600 else ZERO),
    lambda s, at: Decimal(21) + (Decimal("0.3333") if 90 <= s < 600 else ZERO),
    Decimal("22.0103"),
    Decimal("17.0101"),
)  # fmt: skip


def in_office(at):
    return 8 <= at.astimezone(ZoneInfo("America/New_York")).hour < 18


OFFICE = Terms(
    {
        "payout_policies": [policy("Base", "3.0303"), policy("Bonus", "1.1111", "not during_hours")],
        "payin_policies": [policy("Base", "5.55", "during_hours and connect_duration >= 31")],
    },
    lambda s, at: Decimal("3.0303") + (ZERO if in_office(at) else Decimal("1.1111")),
    lambda s, at: Decimal("5.55") if in_office(at) and s >= 31 else ZERO,
    Decimal("4.1414"),
    Decimal("3.0303"),
)
