"""Tables, built from stored statistics."""
