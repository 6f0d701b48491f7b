"""From speech to movement: ``Motion``, the one currency between drivers, files and the renderer."""

from generator.motion.arkit_csv import from_arkit_csv, to_arkit_csv
from generator.motion.motion import Motion

__all__ = ["Motion", "from_arkit_csv", "to_arkit_csv"]
