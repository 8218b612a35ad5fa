"""Measure the CPU time of the product and of comparable applications."""
