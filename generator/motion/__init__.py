"""From speech to movement: ``Motion``, the one currency between drivers, files and the renderer."""

from generator.motion.motion import Motion

__all__ = ["Motion"]
