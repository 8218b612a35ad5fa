"""AWS Lambda: what comes between its events and the application.

`function` takes an event, refuses what is none of ours and hands the rest over; `deadline` knows how much time the
invocation has left; `records` writes one line of log and metrics for each request; `snapshot` prepares for being
frozen and thawed (SnapStart); `purge` is what a schedule begins.
"""
