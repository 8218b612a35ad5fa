"""What runs on AWS Lambda between its events and the application.

`function` dispatches events and rejects unknown ones; `deadline` knows how much time the invocation has left;
`request_records` writes one line of log and metrics for each request; `snapstart` prepares for being frozen and
restored; `scheduled_purge` is started by a schedule.
"""
