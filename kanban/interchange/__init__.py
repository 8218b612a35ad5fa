"""Interchange: boards exported to documents and imported from them, Tackboard's own and Trello's."""
