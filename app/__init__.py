"""The application: the document, the handlers and a store, put together."""
