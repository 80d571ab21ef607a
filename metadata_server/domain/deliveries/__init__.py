"""Webhooks: where changes are sent, and how that is proved."""
