"""The stack for those who deploy with CDK."""
