"""Notices to users: in the portal (the bell) and by mail. Every app tells people things through `actions.notify`."""
