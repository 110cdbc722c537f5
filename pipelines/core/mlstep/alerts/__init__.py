"""From an alert to people (mail) and, within guards, to a retraining run that ends at its gate."""
