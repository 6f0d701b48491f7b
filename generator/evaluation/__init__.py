"""How well a face speaks: measures of motion and of films, each a pure function over arrays.

``track`` turns a ``Motion`` or the landmarks of a film into the same few curves (``FaceTrack``); ``lips``,
``sync``, ``blinks``, ``head`` and ``jitter`` measure them; ``control`` asks for a direction and measures what
is seen; ``performance`` and ``films`` put the figures of a driver and of a film together; ``plots`` draws
them.
"""
