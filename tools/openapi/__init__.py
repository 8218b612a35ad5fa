"""The contract pipeline: everything that is done with the document by machine, and is not the product.

`spec` bundles, lints and compares the document; `release` keeps a bundle that may not be broken any more; `generate`
makes clients and a collection of requests; `mock` answers from the examples. Whatever they do, they do for every
operation that the document holds: none of them has a list of its own.
"""
