"""Marks that carry the job: one keyed payload, put into the picture and into the sound."""
