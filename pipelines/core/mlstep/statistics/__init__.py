"""Numbers with their uncertainty: ranking, calibration, groups, drift. Numpy only; every function takes its generator or its seed."""
