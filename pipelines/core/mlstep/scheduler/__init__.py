"""Starts pipelines: by cron, on request, and once for whatever was missed while nothing ran."""
