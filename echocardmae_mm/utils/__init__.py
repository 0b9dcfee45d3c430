"""Modules that every other part may import; they import no other part."""
