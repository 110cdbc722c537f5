"""A Python language host for the Pulumi engine, for machines where the official one is absent.

It answers the `LanguageRuntime` service with the SDK's published gRPC stubs and behaves like the official host, which
it never replaces: with an official installation this package is not on the path (docs/adr/0002-own-language-host.md).
"""
