"""Kanban: values and rules, pure and of the standard library only.

`values` says what there is, `limits` how much of it, `views` what a read returns, `changes` what a rule writes, and
`store` what the rules need from an engine. A rule (`boards`, `lists`, `cards`, `users`, `tokens`, …) takes a view and
an action context, and returns the new value with the change to commit, or None for the change if there is nothing to
write. Errors are defined beside the rules that raise them; `errors` holds those that several rules share.
"""
