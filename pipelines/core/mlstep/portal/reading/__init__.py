"""What the pages show, read from the platform folder; nothing here knows HTML."""
