"""Run the readers of the feed: one runner for all of them."""
