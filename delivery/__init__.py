"""Deliver messages over HTTP to addresses that users choose: signed, and never led into a private network."""
