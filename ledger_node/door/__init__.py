"""A door of the node: HTTP, or HTTPS with client certificates, that nobody can block by being slow.

One thread waits for all connections; a connection takes no other thread before it has said what it wants. Everything
that somebody outside may draw out has a deadline that counts the whole of it, never a single read: the handshake, the
header, the body by a least rate, the reading of the answer. Whoever is waited for longest gives way when there are too
many. This room knows nothing of what is served.
Source: RFC 9112, PEP 3333; docs/adr/0013-the-doors-are-uvicorn-with-deadlines.md.
"""
