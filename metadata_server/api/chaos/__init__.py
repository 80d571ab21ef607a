"""A façade for clients that were written for the REST server of !CHAOS."""
