"""Webhooks: URLs that changes are sent to."""
