"""The portal: pages about models, data, runs and what was decided, drawn on the server and without scripts."""
