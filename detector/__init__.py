"""Recognises our own films. To come: watermark, fingerprint, classifier."""
