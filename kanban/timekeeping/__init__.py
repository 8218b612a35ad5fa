"""Timekeeping: clocks, time entries, time reports, date ranges, money."""
