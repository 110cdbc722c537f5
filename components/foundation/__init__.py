"""What every stage stands on: folders, identities, keys, a place where processes live."""
