"""What several components share. No module here knows a stage."""
