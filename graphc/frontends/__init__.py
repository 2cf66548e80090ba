"""How graphs come in: as text, as NumPy code, as SymPy expressions."""
