"""The local engine: a pipeline definition, run as one process per step, resumable, and recorded."""
