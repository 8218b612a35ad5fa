"""Mutation testing of the rules, the contract layer and the authorization decisions: `make mutants`."""
