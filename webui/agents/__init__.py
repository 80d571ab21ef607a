"""Agents, the processes that they watch over, and orders to launch and end those."""
