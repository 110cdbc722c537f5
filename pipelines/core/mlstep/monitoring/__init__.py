"""Watch each model: windows of answers and outcomes, measures, a rule, alerts."""
