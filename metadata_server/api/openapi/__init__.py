"""The OpenAPI document of what this server serves, made by `tools/generate_openapi.py`, and a page
to read it on, which needs nothing but this server."""
