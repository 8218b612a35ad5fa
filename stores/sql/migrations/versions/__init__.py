"""One module for each version of the schema. Once released, a version is never edited."""
