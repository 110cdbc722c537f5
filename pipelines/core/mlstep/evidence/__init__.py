"""What can be said about an answer and a platform, and whether it verifies."""
