"""What is said to people, collected from the source: `make messages` keeps the catalogue of each language up to it."""
