"""One file per version of the state database, each with the step from the version before it."""
