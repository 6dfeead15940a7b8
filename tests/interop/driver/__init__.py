"""Checks of a server with the official client, command line and plain HTTP. Must not know which server it is."""
