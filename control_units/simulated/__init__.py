"""Simulated devices: power supply, camera, beam-position monitor, and one for any template."""
