"""Advertisers, campaigns, bundles, caps, routing and calls."""
