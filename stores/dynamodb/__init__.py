"""DynamoDB: one table, and all of a board in one partition of it. Loaded only when chosen."""
