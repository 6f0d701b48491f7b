"""Recognises our own films: media, fingerprint and watermark are here; classifier and verdict are to come."""
