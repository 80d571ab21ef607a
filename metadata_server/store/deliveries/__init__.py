"""Webhooks and their deliveries, in rows."""
