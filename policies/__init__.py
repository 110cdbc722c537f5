"""The policy pack: what is allowed, as catalogue data and one small predicate file per control."""
