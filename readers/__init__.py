"""What follows the feed: one runner for all readers."""
