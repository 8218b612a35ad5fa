"""Use cases: what takes several reads, on values of the domain."""
