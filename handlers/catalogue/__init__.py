"""What can be applied for: items, materials, stages, limits; read from processes/catalogue."""
