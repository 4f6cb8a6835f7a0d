"""The REST API of campaigns: advertisers, campaigns, bundles, calls."""
