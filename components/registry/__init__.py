"""Stage 1: tracking, models, artifacts and the prediction service."""
