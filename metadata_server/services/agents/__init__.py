"""Agents: what they report, and what they are told."""
