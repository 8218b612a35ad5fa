"""The HTTP layer: the only package that knows HTTP and connexion.

A request comes in by `wsgi_application` or `api_gateway`, and passes `edge` (limits on size, checks of path and
headers), `application` (routes and security, which `connexion_binding` builds) and `operations`. An operation parses it
with `parameters` and `bodies`, validates it against the checks that `schemas` compiles from the OpenAPI document, calls
the handler and validates its result with `responses`. Every rejection on the way is a `problems.Problem`. No module in
here knows what a board is.
"""
