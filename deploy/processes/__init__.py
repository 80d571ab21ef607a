"""The services of docker-compose.yml as plain processes, each in a network namespace of its own.

For machines without a container engine, and for tests that break things on purpose.
"""
