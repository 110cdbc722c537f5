"""Stage 3: prediction log, truth, monitors, alerts, the challenger."""
