"""The node's doors: the REST API for people and programs of the organisation, and the door for other nodes."""
