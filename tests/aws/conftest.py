"""A DynamoDB for the tests of the function."""

from tests.engines.dynamodb_server import dynoxide

__all__ = ["dynoxide"]
