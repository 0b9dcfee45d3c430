"""Named modules that every other part may use; none of them imports a part above it."""
