"""What rewritten code calls when it runs: it stages what depends on a traced tensor, and leaves the rest to Python."""
