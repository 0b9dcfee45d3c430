"""The ultrasound sector: its geometry, its detection in a recording and its token masks."""
