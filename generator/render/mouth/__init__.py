"""What is seen between open lips: teeth, gums, tongue and the cavity behind them."""

from generator.render.mouth.interior import MouthInterior

__all__ = ["MouthInterior"]
