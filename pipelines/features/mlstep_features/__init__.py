"""The feature store: Feast on the rows a pipeline has ingested, described by their data contracts."""
