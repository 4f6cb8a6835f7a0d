"""The shapes of limits, limit requests, contracts and use in the API."""

from rest_framework import serializers

from campaigns.api.input import Flag, Text, Whole
from promo_numbers.choices import Ceiling, ContractPeriod, RequestState


class LimitSerializer(serializers.Serializer):
    """One ceiling. limit null = none set; free null = any number."""

    ceiling = serializers.ChoiceField(Ceiling.choices)
    label = serializers.CharField()  # type: ignore[assignment]
    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True)
    free = serializers.IntegerField(allow_null=True)
    who_may_raise = serializers.CharField()


class NetworkLimitsSerializer(serializers.Serializer):
    """The network's limits."""

    limits = LimitSerializer(many=True, help_text="All numbers, then dynamic ones.")
    campaign_default = serializers.IntegerField(help_text="Promo Numbers Allowed on a new campaign.")


class CampaignLimitSerializer(LimitSerializer):
    """“Promo Numbers Allowed” of one campaign: counts static numbers."""

    campaign = serializers.CharField(help_text="id_from_network")
    advertiser = serializers.CharField(help_text="id_from_network")
    name = serializers.CharField()
    may_raise = serializers.BooleanField(help_text="Whether you may.")


class LimitsPageSerializer(serializers.Serializer):
    """The network's limits with each page of its campaigns'."""

    network = NetworkLimitsSerializer(allow_null=True, help_text="null for who sees single campaigns only.")
    results = CampaignLimitSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class NetworkLimitsInput(serializers.Serializer):
    """What to change. total, dynamic: null = no limit, 0 = none may be added."""

    total = Whole(required=False, allow_null=True)
    dynamic = Whole(required=False, allow_null=True)
    campaign_default = Whole(required=False)
    reason = Text(required=False, allow_blank=True, max_length=4000)


class CampaignLimitInput(serializers.Serializer):
    """The new limit and why. confirm: raise it although it is large against the contract."""

    allowed = Whole()
    reason = Text(max_length=4000)
    confirm = Flag(required=False)


class LimitRequestInput(serializers.Serializer):
    """What is asked for. The traffic is for network_dynamic alone, both figures or none."""

    ceiling = Text(help_text="campaign, network_total or network_dynamic")
    campaign = Text(required=False, number_too=True, help_text="id_from_network; of the ceiling campaign.")
    more = Whole()
    reason = Text(max_length=4000)
    visitors_per_hour = Whole(required=False, allow_null=True, help_text="New visitors in the busiest hour.")
    lifetime_seconds = Whole(required=False, allow_null=True, help_text="How long each keeps his number.")


class ApproveInput(serializers.Serializer):
    """confirm: although a campaign's raise is large against the contract."""

    note = Text(required=False, allow_blank=True, max_length=4000)
    confirm = Flag(required=False)


class ChangeInput(ApproveInput):
    """Another figure than was asked for."""

    granted = Whole(help_text="How many more are granted.")


class DeclineInput(serializers.Serializer):
    """Why not."""

    note = Text(max_length=4000)


class StepSerializer(serializers.Serializer):
    """One line of the sum."""

    what = serializers.CharField()
    text = serializers.CharField()


class WorkingSerializer(serializers.Serializer):
    """The recommended figure with every step of its sum."""

    recommended_more = serializers.IntegerField()
    recommended_limit = serializers.IntegerField()
    steps = StepSerializer(many=True)
    figures = serializers.DictField()


class LimitRequestSerializer(serializers.Serializer):
    """A limit request. advice, working: for Managers and above; of an open one by the figures of now, of a decided one of
    then."""

    id = serializers.IntegerField()
    ceiling = serializers.ChoiceField(Ceiling.choices)
    campaign = serializers.CharField(allow_null=True, help_text="id_from_network")
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    more = serializers.IntegerField()
    reason = serializers.CharField()
    visitors_per_hour = serializers.IntegerField(allow_null=True)
    lifetime_seconds = serializers.IntegerField(allow_null=True)
    limit_then = serializers.IntegerField(allow_null=True)
    used_then = serializers.IntegerField()
    state = serializers.ChoiceField(RequestState.choices)
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    granted = serializers.IntegerField(allow_null=True, help_text="How many more were granted.")
    note = serializers.CharField()


class LimitRequestDetailSerializer(LimitRequestSerializer):
    """One limit request with the sum."""

    may_decide = serializers.BooleanField(help_text="Whether you decide it.")
    working = WorkingSerializer(allow_null=True, help_text="null for whoever may not see the network's use.")


class ContractSerializer(serializers.Serializer):
    """A network's contract: number-months included, and the price of one above them."""

    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="The last day.")
    numbers = serializers.IntegerField()
    period = serializers.ChoiceField(ContractPeriod.choices)
    overage_price = serializers.DecimalField(max_digits=10, decimal_places=4)
    currency = serializers.CharField()
    csm = serializers.CharField(allow_null=True, help_text="E-mail address of the customer success manager.")
    months_left = serializers.IntegerField(read_only=True)


class ContractInput(serializers.Serializer):
    """What is left out stays; a first contract needs starts_on, ends_on and numbers."""

    starts_on = serializers.DateField(required=False)
    ends_on = serializers.DateField(required=False)
    numbers = Whole(required=False)
    period = Text(required=False)
    overage_price = serializers.DecimalField(max_digits=12, decimal_places=4, required=False)
    currency = Text(required=False)
    csm = Text(required=False, allow_null=True)
    reason = Text(required=False, allow_blank=True, max_length=4000)


class UsageDaySerializer(serializers.Serializer):
    day = serializers.DateField()
    static = serializers.IntegerField()
    dynamic = serializers.IntegerField()


class ProjectionSerializer(serializers.Serializer):
    """In use on a day to come: on the trend, and between low and high four times out of five."""

    day = serializers.DateField()
    low = serializers.IntegerField()
    projected = serializers.IntegerField()
    high = serializers.IntegerField()


class OverageSerializer(serializers.Serializer):
    """Number-months above the contract, as it goes on, and what they cost."""

    low = serializers.FloatField()
    expected = serializers.FloatField()
    high = serializers.FloatField()
    low_cost = serializers.CharField()
    expected_cost = serializers.CharField()
    high_cost = serializers.CharField()
    currency = serializers.CharField()


class UsageSerializer(serializers.Serializer):
    """Use by day (UTC; the last is today so far), the trend, and where it leads."""

    limits = LimitSerializer(many=True)
    trend_a_day = serializers.FloatField(help_text="Numbers a day, by least squares over `trend_days` days.")
    trend_days = serializers.IntegerField(help_text="0 = too few days on record: use is taken to stay as it is.")
    months_left = serializers.IntegerField(help_text="Of the contract, the present one included.")
    carried_by_contract = serializers.IntegerField(
        allow_null=True, help_text="Numbers that can be held in each month left."
    )
    overage = OverageSerializer(allow_null=True)
    steps = StepSerializer(many=True)
    days = UsageDaySerializer(many=True)
    projection = ProjectionSerializer(many=True)
