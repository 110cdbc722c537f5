"""How each stage is built: one component class per stage and target, found through `components.catalog`."""
