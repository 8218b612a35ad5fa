"""The command line of Tackboard."""
