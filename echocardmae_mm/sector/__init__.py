"""The ultrasound sector: its geometry, detection in a recording, and masks of its tokens."""
