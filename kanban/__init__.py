"""Kanban: values and rules, pure and of the standard library only.

`values` says what there is, `errors` what is refused and in which words, `store` what is needed from whatever
remembers it. A rule (`boards`, `lists`, `cards`, `users`, `tokens`) takes a view and an act, and answers the
new value with the change to commit, or None for a change when there is nothing to write.
"""
