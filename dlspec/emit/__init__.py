"""Printing: from legal IR and a backend's manifest to source text. No framework is imported here."""
