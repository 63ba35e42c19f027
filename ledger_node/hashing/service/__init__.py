"""The hashing service: one process owns the GPU and the cores of a machine and hashes for every node on it.

A client opens a file itself and passes the open descriptor over a Unix-domain socket (SCM_RIGHTS), never a path: the
service can read nothing that its caller cannot. A service is believed as far as a GPU is: the node hashes about one of
1 024 of its answers again and drops it for good on the first wrong one, and reads a mismatch again before anybody
hears of it. Without a service, or while it hangs, a node hashes on its own cores; a service that is killed in the
middle of a batch costs time and no answer. Whoever may connect may use the machine's time: the socket's mode decides.
"""
