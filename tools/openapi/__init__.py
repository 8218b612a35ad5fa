"""Tools for the OpenAPI document that are not part of the product.

`python -m tools.openapi` bundles, lints, compares and releases the document. `client_generation` generates clients,
`postman_collection` a collection of requests, and `mock_server` answers from the examples. All of them read the
operations from the document: none has a list of its own.
"""
