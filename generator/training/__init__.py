"""How the generator's learned parts are trained. Needs the ``train`` extra; nothing here runs in service."""

from assets.operators import declare

declare()
