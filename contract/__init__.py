"""The contract on the hot path: the only package that knows HTTP and connexion.

A request goes through `bridge` (WSGI in, ASGI inside), `edge` (sizes and hygiene), connexion's routing and security
(`application`), and `operations`, which reads it with `parameters` and `bodies` against checks that `schemas` compiled
from the document, calls the function, and checks the reply with `responses`. Everything refused on the way is a
`problems.Problem`. Nothing in here knows what a board is.
"""
