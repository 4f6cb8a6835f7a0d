"""Addresses of the pages of numbers, their limits and their imports."""

from django.urls import URLPattern, path

from . import direct, imports, limits, numbers

urlpatterns: list[URLPattern] = [
    path("campaigns/<int:pk>/numbers/", direct.direct, name="direct"),
    path("campaigns/<int:pk>/numbers/add/", direct.direct_add, name="direct-add"),
    path("campaigns/<int:pk>/numbers/limit/", direct.limit, name="limit"),
    path("numbers/", numbers.number_index, name="list"),
    path("numbers/export/", numbers.number_export, name="export"),
    path("numbers/chosen/", numbers.numbers_chosen, name="chosen"),
    path("numbers/<int:pk>/edit/", numbers.number_edit, name="edit"),
    path("numbers/<int:pk>/move/", numbers.number_move, name="move"),
    path("numbers/<int:pk>/release/", numbers.number_release, name="release"),
    path("numbers/limits/", limits.limits, name="limits"),
    path("numbers/limits/edit/", limits.limits_edit, name="limits-edit"),
    path("numbers/imports/", imports.import_index, name="imports"),
    path("numbers/imports/new/", imports.import_new, name="import-new"),
    path("numbers/imports/<int:pk>/", imports.import_page, name="import"),
    path("numbers/imports/<int:pk>/cancel/", imports.import_stop, name="import-cancel"),
    path("numbers/imports/<int:pk>/refused/", imports.import_refused, name="import-refused"),
    path("numbers/stock/import/", imports.stock_import, name="stock-import"),
    path("numbers/stock/range/", imports.stock_range, name="stock-range"),
    path("suggest/number-campaigns/", numbers.suggest_campaigns, name="suggest-campaigns"),
]
