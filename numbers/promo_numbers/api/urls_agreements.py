"""Addresses of the API of agreements, under /api/<version>/."""

from django.urls import path

from campaigns.api.urls import CAMPAIGN

from . import agreements, limit_requests

REQUEST = "<int:network_id>/limit_requests/<int:limit_request>"

urlpatterns = [
    path("<int:network_id>/promo_number_limits.json", agreements.LimitsView.as_view()),
    path(f"{CAMPAIGN}/promo_number_limit.json", agreements.CampaignLimitView.as_view()),
    path("<int:network_id>/promo_number_usage.json", agreements.UsageView.as_view()),
    path("<int:network_id>/contract.json", agreements.ContractView.as_view()),
    path("<int:network_id>/limit_requests.json", limit_requests.LimitRequestsView.as_view()),
    path(f"{REQUEST}.json", limit_requests.LimitRequestView.as_view()),
    *(path(f"{REQUEST}/{name}.json", view.as_view()) for name, view in limit_requests.DECISION_VIEWS.items()),
]
