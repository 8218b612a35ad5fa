"""Measurements: CPU time of the product beside its peers."""
