"""Figures of programs that are no server, for Prometheus. Off unless MDS_METRICS_PORT says where."""

PORT_VARIABLE = "MDS_METRICS_PORT"
HOST_VARIABLE = "MDS_METRICS_HOST"
