"""Numbers with their uncertainty: ranking, calibration, groups, drift. Numpy only, every seed given."""
