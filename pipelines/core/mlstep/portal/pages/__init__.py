"""One module a page: what it shows, gathered for its template."""
