"""Tools for the OpenAPI document that are not part of the product.

`spec` bundles, lints and compares the document; `release` keeps a bundle that may not be broken any more; `generate`
makes clients and a collection of requests; `mock` answers from the examples. Whatever they do, they do for every
operation that the document holds: none of them has a list of its own.
"""
