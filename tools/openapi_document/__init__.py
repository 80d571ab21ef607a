"""The protocol's face by HTTP as one OpenAPI document: from its descriptors, its comments, and
what `metadata_server.api.rest` knows of them."""
