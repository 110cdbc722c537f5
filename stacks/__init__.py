"""What a team gets: the record, the Pulumi program, the exported contract and the `strata` command."""
