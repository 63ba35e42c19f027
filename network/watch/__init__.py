"""Supervisors: one for each organisation, which starts what died and restarts its orderer when ordering stands."""
