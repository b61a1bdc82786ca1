"""What componentize-py generates from the world, as far as these guests use it, for the machine's own Python."""
