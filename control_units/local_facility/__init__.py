"""A whole facility on this machine: server, web page and simulated unit servers, as the
children of one process (`mds run`)."""
