"""Stage 2: the engine on which pipelines run, with their schedules."""
