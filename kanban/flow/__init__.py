"""Flow: completions, and the report of how work flows over a board."""
