"""Those who use the node: tokens, enrolled persons, and the reasons that they typed."""
