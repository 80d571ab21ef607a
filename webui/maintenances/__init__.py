"""Maintenances: who works on which units, from when until when."""
