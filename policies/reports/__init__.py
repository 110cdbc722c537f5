"""What a run of the pack came to: one model, several ways to write it down."""
