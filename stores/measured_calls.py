"""What a store tells about each of its calls, so that a log can tell slow work from blocked work."""

from collections.abc import Callable

OnCall = Callable[[str, float, float], None]
"""Is called after each call, in the thread that has made it: with what it was, how many seconds it took, and for how
many of them it waited until it could begin.

A call is `read` or `write` in a SQL database, and an operation such as `get_item` in DynamoDB.
"""
