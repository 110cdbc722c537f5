"""Stage 4: offline and online features, and the way from an alert to a retraining run."""
