"""The facility as a picture: hosts, agents, unit servers, units."""
