"""What lets Strata run on a plain machine: environments, the Pulumi CLI, its language host. Standard library only."""
