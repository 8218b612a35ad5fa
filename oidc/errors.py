"""What can be wrong with a provider or with what it has signed."""


class InvalidProviders(Exception):
    """Raised for a configuration that can't be used. The message is a sentence with the provider and the field."""


class ProviderUnreachable(Exception):
    """Raised when a provider gives no usable answer. The message is a sentence for the operator of this server."""


class SignInRejected(Exception):
    """Raised when there is no identity to believe in. The message is a sentence for the log, without any value."""
