"""Sign-in with OpenID Connect: what is asked of providers, and which of their answers are believed.

`providers` reads the configuration. A `provider_client` fetches what a provider says of itself (`metadata`) and its
keys (`key_sets`), keeps both (`cached_values`), and turns a code (`authorization`) or a bearer token into an identity.
PyJWT checks the signature of a token (`signed_tokens`); `claims` judges everything that the token claims. No module in
here knows what a user is.

PyJWT and cryptography are loaded when the first signature is checked.
"""
