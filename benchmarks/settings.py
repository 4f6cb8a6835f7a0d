"""The portal's settings with the benchmarks' own address beside the portal's."""

from portal.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.urls"
