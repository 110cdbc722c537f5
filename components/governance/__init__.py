"""The use case of the workspace as a resource, so that policies and people can read it."""
