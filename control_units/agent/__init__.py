"""The daemon on a host that launches, keeps alive and stops unit servers."""
