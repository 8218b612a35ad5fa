"""The HTTP layer: the only package that knows HTTP and connexion.

A request passes `bridge` (WSGI outside, ASGI inside), `edge` (limits on size, checks of path and headers), connexion's
routing and security (`application`), and `operations`. An operation parses the request with `parameters` and `bodies`,
validates it against the checks that `schemas` compiles from the OpenAPI document, calls the handler and validates its
result with `responses`. Every rejection on the way is a `problems.Problem`. No module in here knows what a board is.
"""
