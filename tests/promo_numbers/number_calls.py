"""Addresses and bodies of the API of promo numbers, as its tests share them."""

BELOW = "advertisers/27/advertiser_campaigns/roofing"


ALL, BY_ID = f"{BELOW}/promo_numbers.json", f"{BELOW}/promo_numbers_by_id.json"


NEW = {"description": "Bus stop", "media_type": "Offline: Billboard"}


MOVE = {
    "destination_advertiser_id_from_network": "27",
    "destination_advertiser_campaign_id_from_network": "plumbing",
}


def one(number):
    return f"{BELOW}/promo_numbers/{number}.json"


def own(name):
    return f"{BELOW}/promo_numbers_by_id/{name}.json"
