"""Every store, against the port."""
