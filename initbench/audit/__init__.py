"""What initializers draw: explained, and tested against what they declare."""
