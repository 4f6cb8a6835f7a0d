"""Bring the reference data of area codes and cities up to the installed `phonenumbers`."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from campaigns.actions import profile_compile
from campaigns.area_data import refresh
from campaigns.models import AreaPrefix, Campaign


class Command(BaseCommand):
    help = "Reload area codes, exchanges and cities from the installed phonenumbers package and recompile all regions."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            count = refresh(AreaPrefix)
            campaigns = 0
            for campaign in Campaign.objects.exclude(named_regions=[]).iterator():
                profile_compile(campaign)
                campaigns += 1
        self.stdout.write(f"{count} prefixes loaded, {campaigns} campaigns recompiled.")
