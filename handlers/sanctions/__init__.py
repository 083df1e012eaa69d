"""虚假材料: false material in an application and what follows from it (行政许可法 78)."""
