"""Addresses of the pages of agreements: limit requests, contracts, use and projection."""

from django.urls import path

from . import agreements, requests

urlpatterns = [
    path("numbers/requests/", requests.request_list, name="request-list"),
    path("numbers/requests/new/", requests.request_new, name="request-new"),
    path("numbers/requests/<int:pk>/", requests.request_page, name="request"),
    path("numbers/requests/<int:pk>/decide/", requests.request_decide, name="request-decide"),
    path("numbers/requests/<int:pk>/withdraw/", requests.request_withdraw, name="request-withdraw"),
    path("numbers/csm/", agreements.csm_list, name="csm"),
    path("numbers/csm/<int:pk>/", agreements.csm_network, name="csm-network"),
    path("numbers/csm/<int:pk>/contract/", agreements.contract_edit, name="contract"),
]
