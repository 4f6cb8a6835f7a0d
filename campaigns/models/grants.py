"""Object grants on advertisers and campaigns: django-guardian's direct foreign-key tables (rows go with their object)."""

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from .campaign import Advertiser, Campaign


class CampaignUserGrant(UserObjectPermissionBase):
    content_object = models.ForeignKey(Campaign, on_delete=models.CASCADE)


class CampaignGroupGrant(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Campaign, on_delete=models.CASCADE)


class AdvertiserUserGrant(UserObjectPermissionBase):
    content_object = models.ForeignKey(Advertiser, on_delete=models.CASCADE)


class AdvertiserGroupGrant(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Advertiser, on_delete=models.CASCADE)
