"""What the world offers a guest."""
