"""`strata`: thin commands over the Pulumi engine (Automation API) and the run-time plane (`mlstep`)."""
